"""Parse expressions, by the precedence of each operator (a Pratt parser).

From loose to tight: || · && · == != · < <= > >= · .. · + - · * / % · prefix ! - + · then . [] () ? ! ??, which bind tightest of all:
`-3?abs` is -(3?abs). The right side of `!` is a whole expression: `x!1 + 1` is x!(1 + 1).
"""

from __future__ import annotations

from collections.abc import Callable

from candu_source.integrations.freemarker.atoms import OPENING, atom
from candu_source.integrations.freemarker.calls import Lambda
from candu_source.integrations.freemarker.cursor import Cursor
from candu_source.integrations.freemarker.expressions import HashLiteral, Interpolated, ListLiteral, Literal, Node, children
from candu_source.integrations.freemarker.faults import TemplateError
from candu_source.integrations.freemarker.limits import EXPRESSION_DEPTH, NESTING
from candu_source.integrations.freemarker.operators import Arithmetic, Compare, Logic, Not, Plus, RangeLiteral, Signed
from candu_source.integrations.freemarker.suffixes import SUFFIXES
from candu_source.integrations.freemarker.tokens import END, Inside, read_tokens

_BINDING = {
    "||": 1, "&&": 2, "==": 3, "!=": 3, "<": 4, "<=": 4, ">": 4, ">=": 4, "..": 5, "..<": 5, "..*": 5,
    "+": 6, "-": 6, "*": 7, "/": 7, "%": 7,
}  # fmt: skip
# These do not stand in a chain: a == b == c is a mistake.
_SINGLE = frozenset({3, 4, 5})
_RESERVED = frozenset({"as", "in", "using"})


def measure(node: Node) -> tuple[int, int]:
    """Return how many nodes an expression has, and how deep it is."""
    size = depth = 0
    level = [node]
    while level:
        size += len(level)
        depth += 1
        level = [child for one in level for child in children(one)]
    return size, depth


class Grammar(Cursor):
    """Read the expressions of one tag or interpolation: `tokens` from the first to the one that ends it.

    `spot` gives the line and column of an offset; `loops` are the variables of the loops around; `parts` parses a text with `${…}` within.
    """

    def __init__(
        self,
        source: str,
        start: int,
        inside: Inside,
        spot: Callable[[int], tuple[int, int]],
        loops: list[str],
        parts: Callable[[str, int], tuple[Node, ...]],
    ) -> None:
        super().__init__(source, read_tokens(source, start, inside), spot)
        self.loops = loops
        self.parts = parts
        self._depth = 0
        # Set while arguments are read by name: there, `!` with white space behind it has no default.
        self.named_arguments = False

    def expression(self) -> Node:
        """Return the next expression."""
        start = self.token.at
        node = self._binary(1)
        if self._depth == 0 and measure(node)[1] > EXPRESSION_DEPTH:
            raise self.too_deep(start, f"an expression is deeper than {EXPRESSION_DEPTH}, the limit; assign a part of it first")
        return node

    def _binary(self, loosest: int) -> Node:
        """Return operands joined by operators that bind at least that tightly."""
        start = self.token.at
        links = 0
        left = self._unary()
        while self.token.kind == "operator" and (binding := _BINDING.get(self.token.sign, 0)) >= loosest:
            sign = self.take().sign
            links = self._link(links)
            if binding == _BINDING[".."]:
                left = self._range(start, sign, left)
            else:
                right = self._binary(binding + 1)
                self._check_literals(sign, left, right)
                left = self._combined(start, sign, left, right)
            if binding in _SINGLE and _BINDING.get(self.token.sign, 0) >= binding:
                raise self.unexpected("a looser operator or the end")
        return left

    def _link(self, links: int) -> int:
        """Count one more operator of a chain, which is as deep as it is long."""
        if links == EXPRESSION_DEPTH:
            raise self.too_deep(self.token.at, f"an expression is deeper than {EXPRESSION_DEPTH}, the limit; assign a part of it first")
        return links + 1

    def _range(self, start: int, sign: str, first: Node) -> Node:
        """Return a range; `a..` without an end when no expression follows."""
        last = self._binary(_BINDING["+"]) if sign != ".." or self.starts() else None
        for side in (first, last):
            self.refuse_literal(side, ("text", "boolean", "list", "hash"), "a number")
        return RangeLiteral(self.span(start), sign, first, last)

    def _combined(self, start: int, sign: str, left: Node, right: Node) -> Node:
        span = self.span(start)
        if sign == "+":
            return Plus(span, left, right)
        if sign in {"&&", "||"}:
            return Logic(span, sign == "&&", left, right)
        if sign in {"-", "*", "/", "%"}:
            return Arithmetic(span, sign, left, right)
        return Compare(span, sign, left, right)

    def _check_literals(self, sign: str, left: Node, right: Node) -> None:
        """Refuse what can never work, as FreeMarker does when it parses."""
        for side in (left, right):
            if sign in {"-", "*", "/", "%", "<", "<=", ">", ">="}:
                self.refuse_literal(side, ("text", "boolean", "list", "hash"), "a number")
            elif sign in {"&&", "||"}:
                self.refuse_literal(side, ("text", "number", "list", "hash"), "a boolean")
            elif sign in {"==", "!="}:
                self.refuse_literal(side, ("list", "hash"), "a text, number, boolean or date")

    def refuse_literal(self, node: Node | None, kinds: tuple[str, ...], wanted: str) -> None:
        """Raise `parse` for a literal of a kind that can never stand there."""
        kind = literal_kind(node)
        if node is not None and kind in kinds:
            raise TemplateError("parse", node.span.line, node.span.column, f"a {kind} stands where {wanted} is needed")

    def starts(self) -> bool:
        """Tell whether an expression begins here, as in `x!!y`, but not in `x!!`."""
        ahead = 0
        while self.following(ahead).sign == "!" or (ahead == 0 and self.token.sign in {"+", "-"}):
            ahead += 1
        token = self.following(ahead)
        if token.kind == "operator":
            return token.sign in OPENING
        return token.kind in {"number", "text", "raw"} or (token.kind == "name" and token.text not in _RESERVED)

    def _unary(self) -> Node:
        start = self.token.at
        if self.token.sign in {"+", "-"} and self.token.kind != END:
            negative = self.take().sign == "-"
            return Signed(self.span(start), negative, self._primary())
        nots = 0
        while self.accept("!"):
            nots += 1
        if nots > NESTING:
            raise self.too_deep(start, f"an expression is nested deeper than {NESTING}, the limit")
        node = self._primary()
        for _ in range(nots):
            node = Not(self.span(start), node)
        return node

    def _primary(self) -> Node:
        """Return an atom with all that follows it: members, arguments, built-ins, defaults."""
        self._depth += 1
        if self._depth > NESTING:
            raise self.too_deep(self.token.at, f"an expression is nested deeper than {NESTING}, the limit")
        start = self.token.at
        links = 0
        node = atom(self)
        while self.token.kind == "operator" and (suffix := SUFFIXES.get(self.token.sign)) is not None:
            links = self._link(links)
            node = suffix(self, start, node)
        self._depth -= 1
        return node

    def arguments(self, closing: str, *, lambdas: bool = False) -> tuple[Node, ...]:
        """Return expressions up to a closing sign; commas between them may be left out."""
        found: list[Node] = []
        while not self.accept(closing):
            if found:
                self.accept(",")
            found.append(self._lambda() if lambdas and self._is_lambda() else self.expression())
        return tuple(found)

    def _is_lambda(self) -> bool:
        if self.token.sign == "(":
            return self.following(2).sign == ")" and self.following(3).sign == "->"
        return self.token.kind == "name" and self.following().sign == "->"

    def _lambda(self) -> Node:
        start = self.token.at
        within = self.accept("(")
        parameter = self.name()
        if within:
            self.expect(")")
        self.expect("->")
        body = self.expression()
        return Lambda(self.span(start), parameter, body, measure(body)[0])


def literal_kind(node: Node | None) -> str | None:
    """Return what kind of literal a node is, None if it is none."""
    if isinstance(node, Literal):
        return "boolean" if isinstance(node.constant, bool) else "text" if isinstance(node.constant, str) else "number"
    return {Interpolated: "text", ListLiteral: "list", HashLiteral: "hash"}.get(type(node))
