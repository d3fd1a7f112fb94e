"""Give the tests of the watch a place of their own."""

from tests.shapes.watching import place

__all__ = ["place"]
