"""Make random templates of the subset, and data for them: the same ones for the same seed."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

DATA: dict[str, Any] = {
    "s": "abc", "t": "a-B c", "e": "", "w": "  x y ", "q": 'say "hi" <b>&\'/', "u": "éßñ", "d": "2022-02-28 20:07:01.795000",
    "n": 3, "m": -7, "f": 1234567.125, "z": 0, "g": 0.5, "k": 2000000000, "num": "42.50", "yes": True, "no": False, "nil": None,
    "xs": ["b", "a", "c"], "ns": [3, 1, 2.5], "mix": [1, "x", None, True], "none": [], "hs": [{"n": "b", "v": 2}, {"n": "a", "v": 1}],
    "h": {"b": 1, "a": "x", "c": {"d": [1, 2]}}, "o": {},
}  # fmt: skip
_NUMBERS = ["n", "m", "f", "z", "g", "0", "1", "2.5", "10", "k", "h.b", "ns[0]"]
_TEXTS = ["s", "t", "e", "w", "q", "u", "'lit'", '"a${n}b"', 'r"${x}"', "num", "h.a", "xs[1]", "d"]
_TRUTHS = ["yes", "no", "true", "false", "nope??", "s??", "xs?has_content", "none?has_content"]
_SEQUENCES = ["xs", "ns", "none", "hs", "[1, 2]", "['p', s]", "1..3", "0..<2", "3..1", "2..*2", "h?keys", "mix"]
_ANYTHING = ["nope", "nil", "h", "o", "o.x", "h.c.d", "nope.x", "xs[9]", "(nope.x)", "h['a']"]
_PRINTED_TRUTHS = ["?c", "?c", "?string", "?string('y', 'n')", "?then('p', n)", ""]
_PRINTED_ANYTHING = ["!", "!'d'", "?c", "", "!n + 1", "?has_content?c"]
_NUMBERS_OF_TEXT = ["length", "index_of('a')", "last_index_of('a')", "number"]
_JOINS = ["','", "''", "', ', 'none'", "'-', 'none', '.'"]
_PLACES = ["0", "1", "0..1", "1..", "0..*2", "9", "1..<2", "2..1", "2..0", "0..*9"]
_COMPARISONS = ["<", ">", "<=", ">=", "lt", "gte", "==", "!="]
_LITERALS = ["'a'", "'abc'", "1", "3", "2.5", "n"]
_ORDERS = ["reverse", "sort", "sort_by('n')", "sort_by('v')"]
_FILTERS = ["i?has_content", "i != 'a'", "i?is_string", "i?is_number", "(i > 1)"]
_MAPS = ["i", "i?string", "i + 'x'", "i * 2", "i.n", "i?is_hash?c", "i!0"]


class Generator:
    """Make templates; `random` decides everything."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self._names: list[str] = []

    def template(self) -> str:
        """Return a template."""
        style = self.random.random()
        if style < 0.35:
            return "".join(f"{self._interpolation()}{self._of(['|', ' ', ',', ''])}" for _ in range(self.random.randint(1, 3)))
        return self._body(3, lines=style > 0.6)

    def _of(self, choices: list[str]) -> str:
        return self.random.choice(choices)

    def _body(self, depth: int, *, lines: bool) -> str:
        parts = []
        for _ in range(self.random.randint(1, 4)):
            parts.append(self._space(lines))
            parts.append(self._part(depth, lines))
        parts.append(self._space(lines))
        return "".join(parts)

    def _space(self, lines: bool) -> str:
        return self._of(["", "\n", "\n", " ", "  ", "\n  ", "\r\n", " \n", "\n\n", "\t"]) if lines else self._of(["", "", " ", "\n"])

    def _part(self, depth: int, lines: bool) -> str:
        makers: list[Callable[[int, bool], str]] = [
            lambda *_: self._of(["x", "y z", "{", "}", '"k": ', "<b>", "$", "# ", "a\nb"]),
            lambda *_: self._interpolation(),
            lambda *_: self._interpolation(),
            lambda *_: self._of(["<#-- c -->", "<#-- ${x} \n -->", "<#t>", "<#lt>", "<#rt>", "<#nt>", "<#noparse>${a}\n</#noparse>"]),
            lambda *_: self._assignment(depth),
        ]
        if depth > 0:
            makers += [self._if, self._list, self._block, self._switch, self._macro]
        return self.random.choice(makers)(depth, lines)

    def _interpolation(self) -> str:
        kind = self.random.random()
        if kind < 0.3:
            return f"${{{self.number(2)}{self._of(['', '', '?c', '?string', self._format()])}}}"
        if kind < 0.75:
            return f"${{{self.text(2)}}}"
        if kind < 0.9:
            return f"${{{self._closed(self.truth(2))}{self._of(_PRINTED_TRUTHS)}}}"
        return f"${{{self.anything()}{self._of(_PRINTED_ANYTHING)}}}"

    def _format(self) -> str:
        pattern = self._of(["0", "0.00", "#.##", "0.####", "#,##0.0", "000", "0%", ".00", "#", "0.0#", "#,###", "$0", "number", "computer"])
        return f"?string['{pattern}']" if self.random.random() < 0.5 else f"?string('{pattern}')"

    @staticmethod
    def _closed(expression: str) -> str:
        return f"({expression})"

    def number(self, depth: int) -> str:  # noqa: PLR0911 - a choice a line
        """Return an expression that is mostly a number."""
        pick = self.random.random()
        if depth == 0 or pick < 0.25:
            return self._of(_NUMBERS)
        if pick < 0.5:
            return f"{self.number(depth - 1)} {self._of(['+', '-', '*', '/', '%', '+'])} {self.number(depth - 1)}"
        if pick < 0.6:
            return f"({self._of(_NUMBERS)})?{self._of(['round', 'floor', 'ceiling', 'int', 'abs', 'long'])}"
        if pick < 0.65:
            return f"-{self._closed(self.number(depth - 1))}"
        if pick < 0.75:
            return f"{self.sequence(depth - 1)}?size"
        if pick < 0.85:
            return f"{self._closed(self.text(depth - 1))}?{self._of(_NUMBERS_OF_TEXT)}"
        return self._closed(self.number(depth - 1))

    def text(self, depth: int) -> str:
        """Return an expression that is mostly text."""
        pick = self.random.random()
        if depth == 0 or pick < 0.15:
            return self._of(_TEXTS)
        if pick < 0.3:
            return f"{self.text(depth - 1)} + {self.random.choice([self.text, self.number])(depth - 1)}"
        if pick < 0.7:
            return f"{self._closed(self.text(depth - 1))}?{self._text_built_in(depth - 1)}"
        if pick < 0.8:
            return f"{self.sequence(depth - 1)}?join({self._of(_JOINS)})"
        if pick < 0.9:
            return f"{self._closed(self.text(depth - 1))}[{self._of(_PLACES)}]"
        return f"{self._of(['nope', 'nil', 's', 'o.x', '(nope.x)'])}!{self.text(0)}"

    def _text_built_in(self, depth: int) -> str:
        return self._of([
            "upper_case", "lower_case", "cap_first", "uncap_first", "trim", "html", "js_string", "json_string", "url('UTF-8')", "string",
            "replace('a', 'Z')", "replace('[a-c]', '<$0>', 'r')", "replace('A', '-', 'i')", "replace('a', '-', 'f')", "replace('', '-')",
            "left_pad(6)", "left_pad(8, 'xyz')", "right_pad(8, 'xyz')", "substring(1)", "substring(0, 2)", "substring(5)",
            "keep_before('b')", "keep_after('b')", "keep_before_last('b')", "keep_after_last('b')", "keep_after('[b-c]', 'r')",
            "ensure_starts_with('/')", "ensure_ends_with('/')", "remove_beginning('a')", "remove_ending('c')", "split('b')?join('|')",
            "split('[ -]', 'r')?join('|')", "split('')?join('.')", "contains('b')?c", "starts_with('a')?c", "ends_with('c')?c",
            "matches('[a-z]+')?c", "matches('[a-z]')?size", "ensure_starts_with('[a-z]+:', 'x:')", f"length + {self.number(depth)}",
            "datetime('yyyy-MM-dd HH:mm:ss.S')?string['dd.MM.yyyy, HH:mm:ss.SSS']", "date('yyyy-MM-dd')?string.iso", "has_content?c",
            "datetime('yyyy-MM-dd HH:mm:ss.S')?long?c", "replace(' ', n)", "boolean?c", "is_string?c",
        ])  # fmt: skip

    def truth(self, depth: int) -> str:  # noqa: PLR0911 - a choice a line
        """Return an expression that is mostly a boolean; it needs no parentheses of its own within parentheses."""
        pick = self.random.random()
        if depth == 0 or pick < 0.2:
            return self._of(_TRUTHS)
        if pick < 0.4:
            return f"{self._closed(self.number(depth - 1))} {self._of(_COMPARISONS)} {self.number(depth - 1)}"
        if pick < 0.55:
            return f"{self._closed(self.text(depth - 1))} {self._of(['==', '!=', '='])} {self.text(depth - 1)}"
        if pick < 0.75:
            return f"{self._closed(self.truth(depth - 1))} {self._of(['&&', '||'])} {self._closed(self.truth(depth - 1))}"
        if pick < 0.85:
            return f"!{self._closed(self.truth(depth - 1))}"
        if pick < 0.95:
            return f"{self.sequence(0)}?seq_contains({self._of(_LITERALS)})"
        return self.anything()

    def sequence(self, depth: int) -> str:
        """Return an expression that is mostly a sequence, and binds tightly."""
        pick = self.random.random()
        if depth == 0 or pick < 0.4:
            return self._closed(self._of(_SEQUENCES))
        if pick < 0.6:
            return f"{self.sequence(depth - 1)}?{self._of(_ORDERS)}"
        if pick < 0.75:
            return f"{self.sequence(depth - 1)}?filter(i -> {self._of(_FILTERS)})"
        if pick < 0.9:
            return f"{self.sequence(depth - 1)}?map(i -> {self._of(_MAPS)})"
        if pick < 0.95:
            return self._closed(f"{self.sequence(depth - 1)} + {self.sequence(0)}")
        return f"{self.sequence(depth - 1)}[{self._of(['0..1', '1..', '0..*9', '2..0', '0..<0'])}]"

    def anything(self) -> str:
        """Return an expression of any kind, often of a wrong one."""
        return self._of(
            [*_ANYTHING, *_NUMBERS, *_TEXTS, *_SEQUENCES, *self._names, "nope!nil!s", "(xs)?first", "none?first", "ns?last", "x!"]
        )

    def _if(self, depth: int, lines: bool) -> str:
        condition = self._closed(self.truth(2)) if self.random.random() < 0.8 else self.anything()
        space = self._space(lines)
        other = f"<#else>{self._body(depth - 1, lines=lines)}" if self.random.random() < 0.5 else ""
        middle = f"<#elseif {self._closed(self.truth(1))}>{self._body(depth - 1, lines=lines)}" if self.random.random() < 0.2 else ""
        return f"<#if {condition}>{space}{self._body(depth - 1, lines=lines)}{middle}{other}</#if>"

    def _list(self, depth: int, lines: bool) -> str:
        name = self._of(["i", "j", "s"])
        self._names.append(name)
        body = self._body(depth - 1, lines=lines) + self._of(
            ["", f"${{{name}?index}}", f"<#if {name}?has_next>,</#if>", f"${{{name}!}}", "<#break>"]
        )
        body += self._of(["", "<#sep>,</#sep>", f"<#sep>,{self._space(lines)}", f"${{{name}_has_next?c}}", f"${{{name}?is_last?c}}"])
        self._names.pop()
        other = f"<#else>{self._space(lines)}none" if self.random.random() < 0.2 else ""
        if self.random.random() < 0.15:
            return f"<#list h as key, {name}>{self._space(lines)}${{key}}{body}{other}</#list>"
        if self.random.random() < 0.15:
            return f"<#list {self.sequence(1)}>{self._space(lines)}[<#items as {name}>{body}</#items>]{self._space(lines)}{other}</#list>"
        return f"<#list {self.sequence(1)} as {name}>{self._space(lines)}{body}{other}</#list>"

    def _block(self, depth: int, lines: bool) -> str:
        body = self._body(depth - 1, lines=lines)
        if self.random.random() < 0.5:
            return f"<#compress>{body}</#compress>"
        return f"<#attempt>{body}<#recover>{self._space(lines)}R{self._space(lines)}</#attempt>"

    def _switch(self, depth: int, lines: bool) -> str:
        cases = [f"<#case {self._of(_LITERALS)}>{self._body(depth - 1, lines=lines)}{self._of(['', '<#break>'])}" for _ in range(2)]
        cases += [f"<#default>{self._body(depth - 1, lines=lines)}"] if self.random.random() < 0.5 else []
        space = self._of(["", " ", "\n", "\n<#-- c -->\n"])
        return f"<#switch {self._of(['n', 's', '1', 'nope'])}>{space}{''.join(cases)}</#switch>"

    def _macro(self, depth: int, lines: bool) -> str:
        if depth < 3:
            return self._of(["<@mac a=1/>", "<@mac 2/>", "<@mac 'p' 'q'>body</@mac>", "<@mac/>", "<@mac a=n>\n${a!'-'}\n</@mac>"])
        body = self._of(["${a}${b}", "[<#nested>]", "<#local c = a>${c}", "\n  ${a}\n<#nested>\n", "<#if a == 1><#return></#if>${b}"])
        calls = "".join(self._space(lines) + self._macro(0, lines) for _ in range(2))
        return f"<#macro mac a b='dflt'>{self._space(lines)}{body}{self._space(lines)}</#macro>{calls}"

    def _assignment(self, depth: int) -> str:  # noqa: PLR0911 - a choice a line
        pick, name = self.random.random(), self._of(["v", "n", "s"])
        if pick < 0.4:
            return f"<#assign {name} = {self.random.choice([self.number, self.text])(1)}>"
        if pick < 0.5:
            return f"<#assign v = {self.number(1)} w = {self.text(1)}>${{v}}${{w}}"
        if pick < 0.6:
            return f"<#assign v = 1><#assign v {self._of(['+=', '-=', '*=', '/=', '%='])} {self.number(0)}>${{v}}<#assign v++>${{v}}"
        if pick < 0.7:
            return f"<#setting number_format='{self._of(['0', '0.####', 'computer', '#,##0.00', 'percent'])}'>"
        if pick < 0.8:
            return f"<#setting boolean_format='{self._of(['c', 'yes,no'])}'>"
        if pick < 0.9 and depth > 0:
            return f"<#assign {name}>{self._body(depth - 1, lines=True)}</#assign>"
        return f"<#global {name} = {self.text(1)}>"
