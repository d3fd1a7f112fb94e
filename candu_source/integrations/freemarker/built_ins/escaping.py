"""Write text so that HTML, addresses, JavaScript and JSON take it as text."""

from __future__ import annotations

import re
from urllib.parse import quote

from candu_source.integrations.freemarker.built_ins.table import text_argument
from candu_source.integrations.freemarker.faults import wrong
from candu_source.integrations.freemarker.scope import Scope
from candu_source.integrations.freemarker.values import Value

_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})
# What URLs keep as it is (freemarker: StringUtil.URLEnc).
_SAFE = "_-.!~'()*"


def html(text: str) -> str:
    """Return the text for HTML."""
    return text.translate(_HTML)


def url(scope: Scope, text: str, charset: Value = None) -> str:
    """Return the text for a part of an address; raise `runtime` without a character set, or with one that cannot write it."""
    name = scope.formats.charset if charset is None else text_argument(charset)
    if not name:
        raise wrong("url needs a character set: write ?url('UTF-8')")
    try:
        return quote(text, safe=_SAFE, encoding=name)
    except (LookupError, UnicodeError):
        raise wrong(f"{name!r} does not write this text") from None


def script(text: str, *, json: bool) -> str:
    """Return the text for a JavaScript or JSON literal, safe within HTML, too (freemarker: StringUtil.jsStringEnc)."""
    return re.sub(_ESCAPED, lambda found: _escaped(found[0], text, found.start(), json=json), text)


_ESCAPED = r"[\x00-\x1f\"'\\/<>\x7f-\x9f\u2028\u2029]"
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\f": "\\f", "\b": "\\b", '"': '\\"', "\\": "\\\\"}


def _escaped(char: str, text: str, at: int, *, json: bool) -> str:
    if char in _NAMED:
        return _NAMED[char]
    if char == "'":
        return "'" if json else "\\'"
    if char == "/":
        return "\\/" if at == 0 or text[at - 1] == "<" else "/"
    code = f"\\u{ord(char):04X}" if json or ord(char) > 255 else f"\\x{ord(char):02X}"  # noqa: PLR2004 - \xFF
    if char == ">":
        before = text[max(0, at - 2) : at]
        dangerous = at == 0 or before in {"]]", "--", "]", "-"}
        return (code if json else "\\>") if dangerous else ">"
    if char == "<":
        return code if text[at + 1 : at + 2] in {"", "!", "?"} else "<"
    return code
