"""An integration's file is read whole, or refused with the field that is off."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from candu_source.errors import UsageError
from candu_source.integrations.reading import read, read_file
from candu_source.integrations.tile import BODY_BYTES, MappedField, Parameter, State
from tests.integrations.drafts import FINE, draft, file

_PNG = b"\x89PNG\r\n\x1a\n" + bytes(16)


def test_a_file_is_read_with_its_defaults() -> None:
    found = draft()
    assert found.parameters == (Parameter("key", "Key", secret=True),)
    assert found.mappings == (MappedField("id", required=True),)
    assert (found.state, found.property_selection, found.body_bytes, found.requests_per_minute) == (State.DRAFT, True, BODY_BYTES, 0)
    assert list(found.payloads) == ["events"]
    assert found.payloads["events"].method == "POST"


def test_what_is_shipped_and_the_samples_read() -> None:
    shipped = resources.files("candu_source.integrations").joinpath("candu.toml").read_bytes()
    assert read(shipped, "candu.toml").state is State.RELEASED
    samples = sorted(Path("samples/amplitude").glob("*.toml"))
    assert len(samples) == 2
    for sample in samples:
        assert read_file(sample).state is State.DRAFT


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"connection": None}, "connection: Missing data"),
        ({"connection": FINE["connection"] | {"summary": ""}}, "connection.summary: Length must be"),
        ({"surprise": 1}, "surprise: Unknown field"),
        ({"state": "done"}, "state: Must be one of: draft, submitted, released"),
        ({"parameters": [{"name": "a-b", "display_name": "x"}]}, "parameters.0.name: Use letters"),
        ({"parameters": [{"name": "a", "display_name": "x"}] * 2}, "parameters: a is declared twice"),
        ({"mappings": [{"name": "a"}] * 2}, "mappings: a is declared twice"),
        ({"events": FINE["events"] | {"method": "GET"}}, "events.method: Must be one of: PUT, POST, PATCH"),
        ({"events": FINE["events"] | {"headers": {"a b": "c"}}}, "events.headers.a b.key: Not the name of a header"),
        ({"limits": {"body_bytes": 0}}, "limits.body_bytes: Must be greater"),
        ({"limits": {"body_bytes": True}}, "limits.body_bytes: Not a valid integer"),
    ],
)
def test_a_field_that_is_off_is_named(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=r"acme\.json") as refused:
        draft(**changes)
    assert said in str(refused.value)


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"1", b"\xff", b"[" * 100_000, b" " * 600_000])
@pytest.mark.parametrize("name", ["x.json", "x.toml"])
def test_what_is_no_file_of_an_integration_is_refused(raw: bytes, name: str) -> None:
    with pytest.raises(UsageError, match=r"x\.json|x\.toml"):
        read(raw, name)


def test_a_logo_is_a_png_beside_the_file(tmp_path: Path) -> None:
    place = tmp_path / "acme.json"
    place.write_bytes(file(connection=FINE["connection"] | {"logo": "../logo.png"}))
    with pytest.raises(UsageError, match=r"connection\.logo: '\.\./logo\.png' is not the name of a file"):
        read_file(place)
    place.write_bytes(file(connection=FINE["connection"] | {"logo": "logo.png"}))
    with pytest.raises(UsageError, match=r"logo\.png cannot be read"):
        read_file(place)
    for raw, said in ((b"GIF89a", "is not a PNG"), (_PNG + bytes(300_000), "has more than")):
        (tmp_path / "logo.png").write_bytes(raw)
        with pytest.raises(UsageError, match=said):
            read_file(place)
    (tmp_path / "logo.png").write_bytes(_PNG)
    assert read_file(place).info.logo == _PNG
