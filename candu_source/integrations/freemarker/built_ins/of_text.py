"""The built-ins of text."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from candu_source.integrations.freemarker.built_ins.escaping import html, script, url
from candu_source.integrations.freemarker.built_ins.table import BuiltIn, by_place, on_text, text_argument, whole_argument
from candu_source.integrations.freemarker.faults import exceeded, wrong
from candu_source.integrations.freemarker.json_text import read_json
from candu_source.integrations.freemarker.limits import OUTPUT_BYTES
from candu_source.integrations.freemarker.patterns import all_matches, read_flags, replaced, replaced_anyhow, search
from candu_source.integrations.freemarker.scope import Scope
from candu_source.integrations.freemarker.values import Match, Matches, Number, Value, type_name, within_digits

# What Java's String.trim takes away: everything up to the space.
_BLANK = "".join(map(chr, range(33)))
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,9})?", re.ASCII)


def _first_letter(text: str, change: str) -> str:
    for place, char in enumerate(text):
        if not char.isspace():
            changed = char.upper() if change == "upper" else char.lower()
            # Java changes one character into one: ß stays.
            return text[:place] + (changed if len(changed) == 1 else char) + text[place + 1 :]
    return text


def _substring(_: Scope, text: str, begin: Value, end: Value = None) -> str:
    first = whole_argument(begin)
    last = len(text) if end is None else whole_argument(end, 2)
    if not 0 <= first <= last <= len(text):
        raise wrong(
            f"substring({first}, {last}) leaves the text of {len(text)} characters; [{first}..*{max(last - first, 0)}] takes what there is"
        )
    return text[first:last]


def _pad(scope: Scope, text: str, width: Value, filling: Value = " ") -> tuple[str, str]:
    wanted, fill = whole_argument(width), text_argument(filling, 2)
    if not fill:
        raise wrong("argument 2 has to be text of one character at least")
    if wanted > OUTPUT_BYTES:
        raise exceeded(f"a text is longer than {OUTPUT_BYTES} characters, the limit")
    scope.spend_text(wanted)
    return text, (fill * (max(wanted, 0) // len(fill) + 1))[: max(0, wanted)]


def _left_pad(scope: Scope, text: str, width: Value, filling: Value = " ") -> str:
    text, pad = _pad(scope, text, width, filling)
    return pad[: max(0, len(pad) - len(text))] + text


def _right_pad(scope: Scope, text: str, width: Value, filling: Value = " ") -> str:
    text, pad = _pad(scope, text, width, filling)
    return text + pad[len(text) :]


def _index_of(_: Scope, text: str, part: Value, start: Value = 0) -> int:
    return text.find(text_argument(part), max(0, whole_argument(start, 2))) if whole_argument(start, 2) <= len(text) else -1


def _last_index_of(_: Scope, text: str, part: Value, start: Value = None) -> int:
    wanted = text_argument(part)
    if start is None:
        return text.rfind(wanted)
    last = whole_argument(start, 2)
    return text.rfind(wanted, 0, last + len(wanted)) if last >= 0 else -1


def _replace(scope: Scope, text: str, old: Value, new: Value, letters: Value = "") -> str:
    flags = read_flags(scope.text(letters))
    found, put = scope.text(old), scope.text(new)
    if flags.pattern:
        return replaced(scope, found, flags, text, put)
    if flags.insensitive:
        return replaced_anyhow(scope, found, flags, text, put)
    scope.spend_text(len(text) + (1 if flags.first else text.count(found)) * len(put))
    return text.replace(found, put, 1 if flags.first else -1)


def _split(scope: Scope, text: str, separator: Value, letters: Value = "") -> list[str]:
    flags, between = read_flags(scope.text(letters)), scope.text(separator)
    if flags.pattern:
        parts = _split_by_pattern(scope, text, between, flags.engine)
    elif not between:
        parts = list(text)
    elif flags.insensitive:
        parts = re.split(re.escape(between), text, flags=re.IGNORECASE)
    else:
        parts = text.split(between)
    scope.spend(len(parts))
    return parts


def _split_by_pattern(scope: Scope, text: str, pattern: str, engine: int) -> list[str]:
    """Split as Java does: groups are not kept, an empty match at the start and empty parts at the end are dropped."""
    parts: list[str] = []
    at = 0
    for found in search(scope, pattern, engine, text).finditer(text):
        if found.end() > 0:
            parts.append(text[at : found.start()])
            at = found.end()
    parts.append(text[at:])
    while len(parts) > 1 and not parts[-1]:
        parts.pop()
    return parts


def _matches(scope: Scope, text: str, pattern: Value, letters: Value = "") -> Matches:
    return all_matches(scope, scope.text(pattern), read_flags(scope.text(letters)), text)


def _found(scope: Scope, text: str, part: Value, letters: Value, *, last: bool) -> tuple[int, int] | None:
    """Return where the first or last occurrence of a part or of a pattern begins and ends."""
    flags, wanted = read_flags(text_argument(letters, 2)), text_argument(part)
    if flags.pattern:
        places = [found.span() for found in search(scope, wanted, flags.engine, text).finditer(text)]
        return places[-1 if last else 0] if places else None
    if flags.insensitive:
        text, wanted = text.lower(), wanted.lower()
    at = text.rfind(wanted) if last else text.find(wanted)
    return None if at < 0 else (at, at + len(wanted))


def _keep_before(scope: Scope, text: str, part: Value, letters: Value = "") -> str:
    place = _found(scope, text, part, letters, last=False)
    return text[: place[0]] if place else text


def _keep_before_last(scope: Scope, text: str, part: Value, letters: Value = "") -> str:
    place = _found(scope, text, part, letters, last=True)
    return text[: place[0]] if place else text


def _keep_after(scope: Scope, text: str, part: Value, letters: Value = "") -> str:
    place = _found(scope, text, part, letters, last=False)
    return text[place[1] :] if place else ""


def _keep_after_last(scope: Scope, text: str, part: Value, letters: Value = "") -> str:
    place = _found(scope, text, part, letters, last=True)
    return text[place[1] :] if place else ""


def _ensure_starts_with(scope: Scope, text: str, start: Value, put: Value = None, letters: Value = None) -> str:
    """Put the start before the text unless it is there; with two arguments the first is a pattern, as in FreeMarker."""
    wanted = text_argument(start)
    if put is None:
        return text if text.startswith(wanted) else wanted + text
    flags = read_flags("r" if letters is None else text_argument(letters, 3))
    if flags.pattern:
        there = search(scope, wanted, flags.engine, text).match(text) is not None
    else:
        there = text.lower().startswith(wanted.lower()) if flags.insensitive else text.startswith(wanted)
    return text if there else text_argument(put, 2) + text


def _number(_: Scope, text: str) -> Number:
    if not _NUMBER.fullmatch(text):
        raise wrong(f"{text[:60]!r} is no number; write digits, a point for decimals")
    try:
        number = within_digits(Decimal(text))
    except InvalidOperation:
        raise exceeded("a number is out of bounds") from None
    return number


def _boolean(scope: Scope, text: str) -> bool:
    true, false = scope.formats.boolean_words()
    if text in {"true", true}:
        return True
    if text not in {"false", false}:
        raise wrong(f"{text[:60]!r} is neither true nor false")
    return False


def _groups(_: Scope, value: Value) -> list[Value]:
    if isinstance(value, Matches):
        if value.whole is None:
            raise wrong("the text does not match, so it has no groups; test it first")
        return value.whole.groups
    if not isinstance(value, Match):
        raise wrong(f"groups are those of ?matches, but this is {type_name(value)}")
    return value.groups


TABLE = {
    "cap_first": on_text(lambda _, text: _first_letter(text, "upper")),
    "uncap_first": on_text(lambda _, text: _first_letter(text, "lower")),
    "upper_case": on_text(lambda _, text: text.upper()),
    "lower_case": on_text(lambda _, text: text.lower()),
    "trim": on_text(lambda _, text: text.strip(_BLANK)),
    "length": by_place(lambda _, text: len(text)),
    "contains": on_text(lambda _, text, part: text_argument(part) in text, 1, 1),
    "starts_with": on_text(lambda _, text, part: text.startswith(text_argument(part)), 1, 1),
    "ends_with": on_text(lambda _, text, part: text.endswith(text_argument(part)), 1, 1),
    "index_of": by_place(_index_of, 1, 2),
    "last_index_of": by_place(_last_index_of, 1, 2),
    "substring": by_place(_substring, 1, 2),
    "left_pad": by_place(_left_pad, 1, 2),
    "right_pad": by_place(_right_pad, 1, 2),
    "replace": on_text(_replace, 2, 3, printing=True),
    "split": on_text(_split, 1, 2, printing=True),
    "matches": on_text(_matches, 1, 2, printing=True),
    "groups": BuiltIn(_groups),
    "keep_before": on_text(_keep_before, 1, 2),
    "keep_before_last": on_text(_keep_before_last, 1, 2),
    "keep_after": on_text(_keep_after, 1, 2),
    "keep_after_last": on_text(_keep_after_last, 1, 2),
    "ensure_starts_with": on_text(_ensure_starts_with, 1, 3),
    "ensure_ends_with": on_text(lambda _, text, end: text if text.endswith(text_argument(end)) else text + text_argument(end), 1, 1),
    "remove_beginning": on_text(lambda _, text, start: text.removeprefix(text_argument(start)), 1, 1),
    "remove_ending": on_text(lambda _, text, end: text.removesuffix(text_argument(end)), 1, 1),
    "number": BuiltIn(lambda scope, value: value if _is_number(value) else _number(scope, scope.text(value))),
    "boolean": on_text(_boolean),
    "html": on_text(lambda _, text: html(text)),
    "url": on_text(url, 0, 1, printing=True),
    "js_string": on_text(lambda _, text: script(text, json=False)),
    "json_string": on_text(lambda _, text: script(text, json=True)),
    "eval_json": on_text(lambda _, text: read_json(text)),
}


def _is_number(value: Value) -> bool:
    return not isinstance(value, bool) and isinstance(value, int | float | Decimal)
