"""Tell a wrong region from a wrong key: ask the other region once whether it knows the key.

Segment answers 2xx to a key that it does not know, in both regions alike; only what comes back by readback tells them apart. So one
event that a US host accepted and never sent back goes to the EU host, too, under its own message id. Never the other way round: who
chose the EU has chosen where their users' data may be.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from candu_source.confirming import Evidence, State, judge
from candu_source.deliveries import Batch, Stored, Target
from candu_source.errors import StoreError
from candu_source.model import Connection, Region, Secret
from candu_source.ports import Destination, Observer, Stop
from candu_source.pulse import pulse

_SHARE = 0.05
_STEP_SECONDS = 3.0
_FROM, _TO = Region.US, Region.EU


class Probes(Protocol):
    """What was asked of the other region; needed by the prober."""

    def due(self, region: Region) -> list[tuple[str, str]]:
        """List the lanes (connection, destination) of a region that could be probed."""
        ...

    def candidate(self, connection: str, destination: str, before: float) -> Stored | None:
        """Return the latest event that was delivered before a time, or None."""
        ...

    def begin(self, connection: Connection, destination: str, event: Stored, host: str, at: float) -> bool:
        """Note that an event is about to go to another host; False when this key was probed already."""
        ...

    def end(self, connection: Connection, destination: str, event: Stored, outcome: str) -> None:
        """Note what the other region answered."""
        ...


class Confirmations(Protocol):
    """What came back; needed by the prober."""

    def evidence(self, connection: str, destination: str, now: float, *, listening_since: float = 0.0) -> Evidence:
        """Return what is known of a lane's confirmations."""
        ...


class Keys(Protocol):
    """Connections and their write keys; needed by the prober."""

    def named(self, name: str) -> Connection:
        """Find a connection; raise NotFound."""
        ...

    def write_key(self, connection: Connection) -> Secret:
        """Return its write key; raise SecretUnreadable."""
        ...


@dataclass(slots=True)
class Prober:
    """Look for keys that were never confirmed and probe each of them once; `hosts` are the regions' Tracking APIs."""

    probes: Probes
    confirmations: Confirmations
    connections: Keys
    destination: Destination[Target]
    hosts: Mapping[Region, str]
    observer: Observer

    def run(self, stop: Stop) -> None:
        """Work until `stop` is set."""
        pulse(lambda: self.step(time.time()), stop, self.observer, name="prober", share=_SHARE, idle_seconds=_STEP_SECONDS)

    def step(self, now: float) -> bool:
        """Probe what has to be probed now (epoch seconds); there is never more to do at once."""
        for connection, destination in self.probes.due(_FROM):
            try:
                self._look(connection, destination, now)
            except StoreError:
                raise
            except Exception as error:  # noqa: BLE001 - what one connection provokes must not end the delivery that runs beside
                self.observer.tell("probe.skipped", connection=connection, error=f"{type(error).__name__}: {error}")
        return False

    def _look(self, identifier: str, destination: str, now: float) -> None:
        evidence = self.confirmations.evidence(identifier, destination, now)
        if judge(evidence, now).state is not State.NEVER_CONFIRMED:
            return
        event = self.probes.candidate(identifier, destination, now - evidence.grace)
        if event is not None:
            self._probe(self.connections.named(identifier), destination, event, now)

    def _probe(self, connection: Connection, destination: str, event: Stored, now: float) -> None:
        """Send one event to the other region; that it is noted first keeps a second one from ever being sent."""
        target = Target(self.hosts[_TO], self.connections.write_key(connection))
        if not self.probes.begin(connection, destination, event, target.host, now):
            return
        outcome = self.destination.deliver(target, Batch((event,)), 0)
        self.probes.end(connection, destination, event, outcome.code)
        self.observer.tell(
            "probe.sent", connection=connection.name, host=target.host, outcome=outcome.code, status=outcome.status, detail=outcome.detail
        )
