"""The nodes of operators: signs, sums, comparisons, logic, ranges."""

from __future__ import annotations

from dataclasses import dataclass

from candu_source.integrations.freemarker.arithmetic import add, calculate
from candu_source.integrations.freemarker.expressions import Node
from candu_source.integrations.freemarker.faults import missing, wrong
from candu_source.integrations.freemarker.operations import compare
from candu_source.integrations.freemarker.scope import Scope
from candu_source.integrations.freemarker.values import Range, Value, as_number


@dataclass(frozen=True, slots=True, eq=False)
class Not(Node):
    """Be `!target`."""

    target: Node

    def value(self, scope: Scope) -> Value:
        """Return the opposite."""
        return not self.target.truth(scope)


@dataclass(frozen=True, slots=True, eq=False)
class Signed(Node):
    """Be `-target` or `+target`."""

    negative: bool
    target: Node

    def value(self, scope: Scope) -> Value:
        """Return the number with its sign turned, or as it is."""
        number = self.target.number(scope)
        if not self.negative:
            return number
        return -number if isinstance(number, int) else number.copy_negate()


@dataclass(frozen=True, slots=True, eq=False)
class Arithmetic(Node):
    """Be one of - * / %."""

    operator: str
    left: Node
    right: Node

    def value(self, scope: Scope) -> Value:
        """Return the result."""
        left, right = self.left.number(scope), self.right.number(scope)
        with self.span:
            return calculate(self.operator, left, right)


@dataclass(frozen=True, slots=True, eq=False)
class Plus(Node):
    """Be `left + right`: a sum, or two sequences, texts or hashes put together."""

    left: Node
    right: Node

    def value(self, scope: Scope) -> Value:
        """Return the sum."""
        left, right = self.left.value(scope), self.right.value(scope)
        with self.span:
            return added(scope, left, right, self.left, self.right)


def added(scope: Scope, left: Value, right: Value, left_node: Node, right_node: Node) -> Value:
    """Return the two together: numbers, sequences, hashes, and anything else as text."""
    first, second = as_number(left), as_number(right)
    if first is not None and second is not None:
        return add(first, second)
    if isinstance(left, list | Range) and isinstance(right, list | Range):
        return joined(scope, left, right)
    if isinstance(left, dict) and isinstance(right, dict):
        scope.spend(len(left) + len(right))
        return {**left, **right}
    text = ""
    for value, node in ((left, left_node), (right, right_node)):
        if value is None:
            raise missing(node.span)
        text += scope.text(value)
    scope.spend_text(len(text))
    return text


def joined(scope: Scope, left: list[Value] | Range, right: list[Value] | Range) -> list[Value]:
    """Return two sequences as one."""
    for one in (left, right):
        if isinstance(one, Range) and one.size is None:
            raise wrong("a range without an end cannot be part of another sequence")
        scope.spend(len(one) if isinstance(one, list) else one.size or 0)
    return [*left, *right]


@dataclass(frozen=True, slots=True, eq=False)
class Compare(Node):
    """Be one of == != < <= > >=."""

    operator: str
    left: Node
    right: Node

    def value(self, scope: Scope) -> Value:
        """Tell whether it holds."""
        left, right = self.left.value(scope), self.right.value(scope)
        if left is None or right is None:
            raise missing((self.left if left is None else self.right).span)
        with self.span:
            return compare(scope, self.operator, left, right)


@dataclass(frozen=True, slots=True, eq=False)
class Logic(Node):
    """Be `left && right` or `left || right`; the right is asked only if the left does not settle it."""

    both: bool
    left: Node
    right: Node

    def value(self, scope: Scope) -> Value:
        """Tell whether it holds."""
        if self.left.truth(scope) is not self.both:
            return not self.both
        return self.right.truth(scope)


@dataclass(frozen=True, slots=True, eq=False)
class RangeLiteral(Node):
    """Be `a..b`, `a..<b`, `a..*size` or `a..`."""

    operator: str
    first: Node
    last: Node | None

    def value(self, scope: Scope) -> Value:
        """Return the range."""
        first = int(self.first.number(scope))
        if self.last is None:
            return Range(first, 1, None, adaptive=True)
        last = int(self.last.number(scope))
        if self.operator == "..*":
            return Range(first, 1 if last >= 0 else -1, abs(last), adaptive=True)
        step = 1 if last >= first else -1
        inclusive = self.operator == ".."
        return Range(first, step, abs(last - first) + inclusive, adaptive=False, inclusive=inclusive)
