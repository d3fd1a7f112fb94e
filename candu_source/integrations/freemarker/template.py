"""Compile templates, and render them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from candu_source.integrations.freemarker import definitions, directives, listing
from candu_source.integrations.freemarker.callables import Macro
from candu_source.integrations.freemarker.elements import Block, Element, render_all
from candu_source.integrations.freemarker.expressions import Literal, Name, Node, children
from candu_source.integrations.freemarker.faults import Problem, TemplateError
from candu_source.integrations.freemarker.grammar import measure
from candu_source.integrations.freemarker.limits import NESTING, NODES_A_STEP, TEMPLATE_BYTES
from candu_source.integrations.freemarker.members import Dot, Index
from candu_source.integrations.freemarker.parser import Parser
from candu_source.integrations.freemarker.scope import Scope
from candu_source.integrations.freemarker.stripping import tidy
from candu_source.integrations.freemarker.utf16 import printable

_DIRECTIVES = {**directives.TABLE, **listing.TABLE, **definitions.TABLE}


class Template:
    """Hold a template that compiled; it may be rendered from several threads at a time."""

    def __init__(self, root: Block, macros: list[Macro]) -> None:
        self._root = root
        self._macros = {macro.name: macro for macro in macros}

    def render(self, data: Mapping[str, Any], *, now: int | None = None) -> str:
        """Return the text that the template makes of plain JSON values; `now` is what `.now` says, milliseconds since 1970.

        Raises TemplateError of kind undefined, runtime, stop or unsupported: then nothing has been written.
        """
        scope = Scope(dict(data), now)
        scope.assigned.update(self._macros)
        try:
            render_all(self._root.children, scope)
        except RecursionError:
            raise _too_deep() from None
        return printable("".join(scope.written))

    def uses(self, root: str) -> frozenset[str]:
        """Return the names read below a variable as written: `root.x` and `root["x"]`, not those that the data decide."""
        return frozenset(name for node in self._nodes() for name in _read_below(node, root))

    def _nodes(self) -> Iterator[Node]:
        for element in _elements(self._root):
            for node in element.nodes():
                if node is not None:
                    yield from _all(node)


def compile_template(text: str) -> Template:
    """Return the template ready to render; raise TemplateError of kind parse or unsupported, or runtime for a limit."""
    if len(text) > TEMPLATE_BYTES or len(text.encode("utf-8", "surrogatepass")) > TEMPLATE_BYTES:
        raise TemplateError("runtime", 1, 1, f"the template is longer than {TEMPLATE_BYTES} bytes, the limit", limit=True)
    parser = Parser(text, _DIRECTIVES)
    try:
        root = parser.template()
        tidy(root, strip=parser.strip)
    except RecursionError:
        raise _too_deep() from None
    except Problem as problem:
        raise TemplateError(problem.kind, *parser.spot(parser.at), problem.message, limit=problem.limit) from None
    for element in _elements(root):
        element.cost = 1 + sum(measure(node)[0] for node in element.nodes() if node is not None) // NODES_A_STEP
    return Template(root, parser.macros)


def _too_deep() -> TemplateError:
    return TemplateError("runtime", 1, 1, f"tags, expressions or calls are nested deeper than {NESTING}, the limit", limit=True)


def _elements(element: Element) -> Iterator[Element]:
    yield element
    for child in element.children:
        yield from _elements(child)


def _all(node: Node) -> Iterator[Node]:
    """Yield a node and all below it, without recursion: chains may be long."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        yield one
        waiting.extend(children(one))


def _read_below(node: Node, root: str) -> Iterator[str]:
    if isinstance(node, Dot) and isinstance(node.target, Name) and node.target.name == root:
        yield node.key
    if isinstance(node, Index) and isinstance(node.target, Name) and node.target.name == root:
        key = node.key
        if isinstance(key, Literal) and isinstance(key.constant, str):
            yield key.constant
