"""Send a reject through its door again with bytes that a person has edited. A use case above intake."""

from __future__ import annotations

from collections.abc import Mapping

from candu_source.model import Connection, Receipt
from candu_source.ports import Hear, Log, Mendable
from candu_source.rehearing import admit_aside, no_door


def mend(
    connection: Connection, identifier: int, raw: bytes, *, rejects: Mendable, doors: Mapping[str, Hear], log: Log, by: str
) -> Receipt:
    """Accept the edited bytes in the place of a reject, which leaves its shelf under audit.

    What is refused again changes nothing, and the receipt's `rejected` says why. Raises NotFound, StoreBusy and
    StoreFull.
    """
    item = rejects.reject(connection.id, identifier)._replace(raw=raw)
    admission = admit_aside(item, connection, doors.get(item.door, no_door))
    if admission.rejects:
        return Receipt(rejected=admission.rejects)
    receipt = log.append(admission)
    rejects.mended(connection, identifier, by=by)
    return receipt
