"""Terms: what two connections have in common shows nowhere, and no message is too odd."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from candu_source.terms import BLOCK_PLACES, MOST_VALUES, Word, block, term, terms, words

leaves = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8)
names = st.text(max_size=4)
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=20)
messages = st.dictionaries(st.sampled_from(["userId", "anonymousId", "event", "name", "type", "properties", "traits", "groupId"]), values)


@given(messages)
def test_terms_are_those_of_the_words(message: dict[str, object]) -> None:
    encoded = msgspec.json.encode(message)
    found = words(msgspec.json.decode(encoded))
    assert set(terms("c", encoded).split()) == {term("c", word) for word in found}
    assert set(terms("c", encoded).split()).isdisjoint(terms("d", encoded).split())


@given(st.binary())
def test_what_is_no_message_has_no_terms(raw: bytes) -> None:
    assert isinstance(terms("c", raw), str)


def test_a_deep_or_wide_message_is_found_by_its_first_values() -> None:
    deep = b'{"event":"e","properties":' + b'{"a":' * 900 + b"1" + b"}" * 900 + b"}"
    assert terms("c", deep) == "" or term("c", Word("event", "e")) in terms("c", deep)
    wide = msgspec.json.encode({"properties": {f"p{n}": n for n in range(1_000)}})
    assert len(terms("c", wide).split()) == 2 * MOST_VALUES


def test_a_block_has_a_term_of_its_own() -> None:
    assert len({block(0), block(BLOCK_PLACES - 1), block(BLOCK_PLACES), block(2 * BLOCK_PLACES)}) == 3
    assert len(block(2**62)) != len(term("c", Word("event", "e")))


def test_equal_values_of_different_kinds_keep_their_words() -> None:
    assert [word.value for word in words({"properties": {"a": 1}})] == ["1", "1"]
    for value, text in ((True, "true"), (1, "1"), (1.0, "1"), (1.5, "1.5"), ("TRUE", "true"), ("ﬁ", "fi")):
        assert terms("c", msgspec.json.encode({"properties": {"a": value}})).split()[0] == term("c", Word(".a", text))
