"""Give the tests of the command line a way to run it."""

from tests.cli.terminal import run

__all__ = ["run"]
