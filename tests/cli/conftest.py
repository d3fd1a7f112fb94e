"""Give the tests of the command line a way to run it, and a place to run it on."""

from tests.cli.inside import inside
from tests.cli.streaming import scene
from tests.cli.terminal import run, typed
from tests.shapes.watching import place

__all__ = ["inside", "place", "run", "scene", "typed"]
