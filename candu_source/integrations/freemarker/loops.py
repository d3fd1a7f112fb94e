"""The elements that repeat: <#list>, <#items>, <#sep>, and what leaves them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from candu_source.integrations.freemarker.calls import lazily
from candu_source.integrations.freemarker.elements import Break, Element, render_all
from candu_source.integrations.freemarker.expressions import Node
from candu_source.integrations.freemarker.faults import wrong
from candu_source.integrations.freemarker.scope import Frame, Loop, Scope
from candu_source.integrations.freemarker.values import Value, as_hash, as_sequence, type_name


class Continue(Exception):  # noqa: N818 - control flow: <#continue> goes on with the next item
    """Go on with a loop's next item."""


@dataclass(slots=True, eq=False)
class Loops(Element):
    """Be <#list>: over a sequence by one name, over a hash by two, or without a name around <#items>."""

    listed: Node = field(kw_only=True)
    names: tuple[str, ...] = ()

    def run(self, scope: Scope) -> bool:
        """Write the body for each item; return whether there was any."""
        listed = _listed(self.listed, scope)
        if self.names:
            return iterate(scope, self.names, entries(listed, self.names), self.children)
        listed = list(listed) if isinstance(listed, Iterator) else listed
        items = as_hash(listed) if as_sequence(listed) is None else as_sequence(listed)
        if items is None:
            raise wrong(f"<#list> goes over a sequence or a hash, but this is {type_name(listed)}")
        if not any(True for _ in items):
            return False
        with scope.inside(Frame({}, scope.frame, {"": Loop()}, listed=listed)):
            render_all(self.children, scope)
        return True

    def render(self, scope: Scope) -> None:
        """Write the body for each item."""
        self.run(scope)

    def nodes(self) -> Iterable[Node | None]:
        """Return what is listed."""
        return (self.listed,)


def _listed(node: Node, scope: Scope) -> Value:
    items = lazily(node, scope)
    return node.needed(scope) if items is None else items


def entries(listed: Value, names: tuple[str, ...]) -> Iterator[tuple[Value, ...]]:
    """Yield what each iteration gives to the names; raise `runtime` for what cannot be listed so."""
    if len(names) == 1:
        sequence = listed if isinstance(listed, Iterator) else as_sequence(listed)
        if sequence is None:
            hint = "; a hash is listed as key, value" if as_hash(listed) is not None else ""
            raise wrong(f"<#list> goes over a sequence, but this is {type_name(listed)}{hint}")
        return ((one,) for one in sequence)
    members = as_hash(listed)
    if members is None:
        raise wrong(f"<#list … as key, value> goes over a hash, but this is {type_name(listed)}")
    return iter(list(members.items()))


def iterate(scope: Scope, names: tuple[str, ...], given: Iterator[tuple[Value, ...]], body: Sequence[Element]) -> bool:
    """Write the body for each entry, its values under the names; return whether there was any."""
    values = next(given, None)
    if values is None:
        return False
    loop = Loop(-1)
    own: dict[str, Value] = {}
    with scope.inside(Frame(own, scope.frame, dict.fromkeys(names, loop))):
        while values is not None:
            following = next(given, None)
            loop.index += 1
            loop.has_next = following is not None
            own.update(zip(names, values, strict=True))
            own[f"{names[0]}_index"], own[f"{names[0]}_has_next"] = loop.index, loop.has_next
            scope.spend(1)
            try:
                render_all(body, scope)
            except Continue:
                pass
            except Break:
                break
            values = following
    return True


class ListOrElse(Element):
    """Be <#list> with <#else>: the first child is the loop, the second what is written when there was nothing to list."""

    __slots__ = ()

    def render(self, scope: Scope) -> None:
        """Write the loop, or the other part."""
        loops, other = self.children
        assert isinstance(loops, Loops)
        if not loops.run(scope):
            other.render(scope)


@dataclass(slots=True, eq=False)
class Items(Element):
    """Be <#items>, the repeated part of a <#list> without a name."""

    names: tuple[str, ...] = ()

    def render(self, scope: Scope) -> None:
        """Write the body for each item of the list around."""
        frame = scope.listing()
        listed, frame.listed = frame.listed, None
        if listed is None:
            raise wrong("<#items> has gone over its list already")
        try:
            iterate(scope, self.names, entries(listed, self.names), self.children)
        finally:
            frame.listed = listed


class Sep(Element):
    """Be <#sep>: written while another item follows."""

    __slots__ = ()

    def render(self, scope: Scope) -> None:
        """Write the body unless this is the last item."""
        if scope.nearest_loop().has_next:
            render_all(self.children, scope)


@dataclass(slots=True, eq=False)
class Jump(Element):
    """Be <#break> or <#continue>."""

    leaving: bool = True

    def render(self, scope: Scope) -> None:
        """Leave the loop, or go on with its next item."""
        raise Break if self.leaving else Continue
