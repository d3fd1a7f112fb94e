"""What people write for a place, and what is shown of it."""

from __future__ import annotations

import pytest

from candu_source.destinations.warehouse.dialects.places import shown, warehouse_at
from candu_source.destinations.warehouse.dialects.server import Server
from candu_source.errors import UsageError
from candu_source.model import Secret


@pytest.mark.parametrize(
    ("place", "as_shown"),
    [
        ("duckdb:///var/warehouse.duckdb", "duckdb:///var/warehouse.duckdb"),
        ("duckdb:////tmp/a%20b.duckdb", "duckdb:////tmp/a b.duckdb"),
        ("var/warehouse.duckdb", "duckdb:///var/warehouse.duckdb"),
        ("postgresql://u:canary@db.example.com/w", "postgresql://u@db.example.com:5432/w"),
        ("postgres://u:can%40ary@db.example.com:6543/w?sslmode=verify-full", "postgresql://u@db.example.com:6543/w"),
        (" host=db.example.com user=u password='can ary' ", "postgresql://u@db.example.com:5432/u"),
        ("postgresql://u@/w?host=/run/postgresql", "postgresql://u@/run/postgresql:5432/w"),
    ],
)
def test_places_that_are_understood(place: str, as_shown: str) -> None:
    assert shown(Secret(place)) == as_shown
    assert warehouse_at(Secret(place), allow_private=True)


@pytest.mark.parametrize(
    "place",
    [
        "",
        "canary",
        "mysql://u:canary@db.example.com/w",
        "duckdb:///canary",
        "duckdb:///canary.read.duckdb",
        "duckdb://canary.duckdb\0.duckdb",
        "postgresql://u:can@canary@db.example.com/w",
        "postgresql://u:p@ss/canary@db.example.com/w",
        "postgresql://u:can/canary@db.example.com/w",
        "postgresql://u:can:canary/@db.example.com/w",
        "postgresql://u:canary%zz@db.example.com/w",
        "postgresql://u:canary@one.example.com,two.example.com/w",
        "postgresql://u:canary@/w",
        "postgresql://db.example.com/canary",
        "postgresql://u:canary@db.example.com/w?hostaddr=127.0.0.1",
        "postgresql://u:canary@db.example.com/w?options=-c%20x",
        "postgresql://u:canary@db.example.com/w?passfile=/etc/passwd",
        "postgresql://u:canary@db.example.com/w?service=canary",
        "postgresql://u:canary@db.example.com:54a/w",
        "host=db.example.com user=u password=can canary",
        "host=db.example.com user=u sslkey=canary",
        "host=@canary user=u",
    ],
)
def test_places_that_are_not_say_what_would_be_right_and_no_password(place: str) -> None:
    with pytest.raises(UsageError) as told:
        warehouse_at(Secret(place), allow_private=True)
    assert "canary" not in f"{told.value} {told.value.__context__}"
    assert "\n" not in str(told.value)


def test_a_line_through_the_internet_is_encrypted_unless_somebody_says_otherwise() -> None:
    public, plain = (Server.read(f"host=1.1.1.1 user=u password=p {more}") for more in ("", "sslmode=disable"))
    words = public.words(allow_private=False)
    assert (words["sslmode"], words["hostaddr"], words["passfile"]) == ("require", "1.1.1.1", "/dev/null")
    assert public.words(allow_private=True)["sslmode"] == "prefer"
    assert plain.words(allow_private=False)["sslmode"] == "disable"
    assert "p" not in repr(public).partition("password=")[2].partition(",")[0].replace("Secret(…)", "")
