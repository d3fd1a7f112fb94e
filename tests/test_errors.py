"""The error tree is drawn as it is, and every statement of the command line that fails says so in one line."""

from __future__ import annotations

import inspect

from candu_source import errors


def test_the_docstring_draws_the_whole_tree() -> None:
    drawing = errors.__doc__ or ""
    classes = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.CanduSourceError)]
    drawn = [line.replace("│", " ").replace("├──", " ").replace("└──", " ").split()[0] for line in drawing.splitlines() if "──" in line]
    assert sorted(drawn) == sorted(kind.__name__ for kind in classes if kind is not errors.CanduSourceError)
