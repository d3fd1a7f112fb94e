"""What is said of a connection, by whom ever, is read field by field."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from candu_source.draft import SETTINGS, changed, differences, identity_secret, said, write_key
from candu_source.errors import UsageError
from candu_source.model import Connection, Kind, PortalRule, Region, Rules, Secret

BLANK = Connection("id", "Candu_Test")
LINES = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=20)
PORTALS = st.one_of(
    st.just(PortalRule()),
    st.builds(PortalRule, st.just("constant"), st.integers(0, 2**53)),
    st.just(PortalRule("lookup", table={"c-1": 7})),
)
RULES = st.builds(
    Rules,
    classification=st.dictionaries(LINES, st.sampled_from(Kind), max_size=3),
    custom_events=st.sampled_from(["filter", "send"]),
    anonymous=st.sampled_from(["filter", "send"]),
    extra_properties=st.booleans(),
    portal=PORTALS,
    integrations=st.dictionaries(LINES, st.booleans(), max_size=3),
    allowed_origins=st.sampled_from([(), ("*",), ("https://app.example.com", "https://*.example.com:8443")]),
    identity=st.sampled_from(["off", "warn", "require"]),
    bots=st.sampled_from(["filter", "send"]),
    allowed_addresses=st.sampled_from([(), ("203.0.113.0/24", "2001:db8::/32")]),
)
CONNECTIONS = st.builds(
    Connection,
    id=st.just("id"),
    name=LINES,
    environment=st.just("") | LINES,
    region=st.sampled_from(Region),
    segment_host=st.sampled_from([None, "https://proxy.example.com", "http://127.0.0.1:9"]),
    paused=st.booleans(),
    requests_per_minute=st.integers(0, 2**53),
    pending_most=st.integers(0, 2**53),
    rules=RULES,
)


@given(CONNECTIONS)
def test_what_is_said_of_a_connection_makes_it_again(connection: Connection) -> None:
    blank = replace(BLANK, rules=Rules(portal=PortalRule(table=connection.rules.portal.table)))
    assert changed(blank, said(connection)) == connection
    assert tuple(said(connection)) == SETTINGS
    assert differences(connection, connection) == {}


@given(CONNECTIONS, st.sampled_from(SETTINGS))
def test_one_field_changes_that_field_alone(connection: Connection, field: str) -> None:
    value = said(connection)[field]
    there = changed(BLANK, {field: value})
    old = said(BLANK)[field]
    assert differences(BLANK, there) == ({} if old == value else {field: (old, value)})


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("name", "  Candu_Prod ", "Candu_Prod"),
        ("environment", "", ""),
        ("region", "eu", "eu"),
        ("segment_host", "https://proxy.example.com/", "https://proxy.example.com"),
        ("paused", "on", True),
        ("requests_per_minute", "600", 600),
        ("portal", "12", 12),
        ("classification", "candu.sdk.x=view\ncandu.sdk.x=filter\n\na=b=interaction", {"candu.sdk.x": "filter", "a=b": "interaction"}),
        ("integrations", ["Braze=off", "Candu=on"], {"Braze": False, "Candu": True}),
        ("allowed_origins", "https://App.example.com/, * *", ["https://app.example.com", "*"]),
        ("allowed_addresses", ["203.0.113.7"], ["203.0.113.7/32"]),
        ("extra_properties", "false", False),
    ],
)
def test_forms_say_it_in_text(field: str, text: Any, value: Any) -> None:
    assert said(changed(BLANK, {field: text}))[field] == value


def test_a_portal_table_is_looked_up_in_and_stays_while_nothing_else_is_said() -> None:
    with_table = changed(BLANK, {"portal": {"c-1": "7"}})
    assert with_table.rules.portal == PortalRule("lookup", table={"c-1": 7})
    assert changed(with_table, {"portal": "lookup"}) == with_table


@pytest.mark.parametrize(
    ("field", "given", "advice"),
    [
        ("nme", "x", "not a setting of a connection"),
        ("name", "", "write 1 to 100 printable characters"),
        ("name", "a\nb", "printable"),
        ("name", "x" * 101, "1 to 100"),
        ("name", 7, "printable"),
        ("environment", "x" * 41, "0 to 40"),
        ("region", "mars", "write us or eu"),
        ("segment_host", "ftp://x", "base address"),
        ("segment_host", "http://[x", "base address"),
        ("segment_host", "https://x/path", "base address"),
        ("segment_host", "https://user:pw@x", "base address"),
        ("segment_host", "https://x:99999", "base address"),
        ("segment_host", "https://a\n.example.com", "base address"),
        ("paused", "maybe", "write on or off"),
        ("requests_per_minute", -1, "whole number"),
        ("requests_per_minute", True, "whole number"),
        ("pending_most", "9" * 5000, "whole number"),
        ("portal", "x", "not a portal's number"),
        ("portal", {"c-1": "x"}, "not a portal's number"),
        ("classification", {"a": "b"}, "NAME=view|interaction|filter"),
        ("classification", ["view"], "NAME=view|interaction|filter"),
        ("classification", 7, "a list of texts"),
        ("integrations", {"a": "view"}, "NAME=on|off"),
        ("allowed_origins", [1], "a list of texts"),
        ("allowed_origins", "https://a.*.com", "https://app.example.com"),
        ("allowed_addresses", "here", "203.0.113.0/24"),
        ("identity", "x", "off or warn or require"),
        ("bots", True, "filter or send"),
    ],
)
def test_what_is_off_is_named_with_what_to_write(field: str, given: Any, advice: str) -> None:
    with pytest.raises(UsageError) as told:
        changed(BLANK, {field: given})
    assert str(told.value).startswith(f"{field}: ")
    assert advice in str(told.value)
    assert str(told.value).isprintable()


@pytest.mark.parametrize("text", ["", "a b", "a:b", "kéy", "a\tb"])
def test_what_is_no_write_key_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(UsageError, match=r"^write_key: ") as told:
        write_key(text)
    assert not text or repr(text) not in str(told.value)


def test_secrets_are_read_without_blanks_around_them() -> None:
    assert write_key(" key\n") == Secret("key")
    assert identity_secret(" s3cret\n") == Secret("s3cret")
    assert identity_secret(" ") is None
