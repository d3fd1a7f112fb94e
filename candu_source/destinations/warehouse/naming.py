"""Name tables and columns as Segment does: pure."""

from __future__ import annotations

import re
from functools import lru_cache

# go-snakecase (github.com/segmentio/go-snakecase): what it leaves as it is, and what it takes for a word.
_UNTOUCHED = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)*")
_WORD = re.compile(r"[A-Z0-9]+[a-z0-9]*|[a-z][a-z0-9]*")
_UPPER = re.compile(r"[A-Z]")
_LOWER = re.compile(r"[a-z]")
# Names that are kept for the next time; longer ones are rare and would fill the memory.
_KEPT, _KEPT_CHARACTERS = 4_096, 128

# PostgreSQL 15, pg_get_keywords(), catcode R and T; `tag` is seen as `_tag` in a warehouse of Segment's on PostgreSQL.
_WORDS = """
all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate collation column
concurrently constraint create cross current_catalog current_date current_role current_schema current_time current_timestamp
current_user default deferrable desc distinct do else end except false fetch for foreign freeze from full grant group having ilike
in initially inner intersect into is isnull join lateral leading left like limit localtime localtimestamp natural not notnull null
offset on only or order outer overlaps placing primary references returning right select session_user similar some symmetric table
tablesample then to trailing true union unique user using variadic verbose when where window with tag
"""
# Columns that every table of PostgreSQL has already.
_SYSTEM_COLUMNS = frozenset({"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"})
RESERVED_WORDS = _SYSTEM_COLUMNS | frozenset(_WORDS.split())


def snakecase(name: str) -> str:
    """Return a name in Segment's snake case, `[a-z0-9_]*`: `tutorialId` is tutorial_id, `HTTPServer` httpserver, `Просмотр` is empty."""
    return _kept_snakecase(name) if len(name) <= _KEPT_CHARACTERS else _snakecase(name)


def identifier(name: str, name_bytes: int, words: frozenset[str] = RESERVED_WORDS) -> str:
    """Return what the warehouse calls a name in snake case: `_` before a digit or a reserved word, at most so many bytes.

    Two long names with the same beginning become one.
    """
    marked = f"_{name}" if name in words or name[:1].isdigit() else name
    return marked[:name_bytes]


def _snakecase(name: str) -> str:
    untouched = _UNTOUCHED.match(name)
    prefix = untouched[0] if untouched else ""
    if len(prefix) == len(name):
        return name
    words = [word.lower() for word in _WORD.findall(name, len(prefix))]
    if words and _glues(prefix, name[len(prefix)]):
        words[0] = prefix + words[0]
    elif prefix:
        words.insert(0, prefix)
    return "_".join(words)


def _glues(prefix: str, stopper: str) -> bool:
    """Tell whether the next word sticks to what was left untouched: `5TEst` is 5test, `a_1B` is a_1b, but `aB` is a_b."""
    return bool(_UPPER.match(stopper)) and not _LOWER.search(prefix.rpartition("_")[2])


_kept_snakecase = lru_cache(_KEPT)(_snakecase)
