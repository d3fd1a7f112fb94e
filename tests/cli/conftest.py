"""Give the tests of the command line a way to run it."""

from tests.cli.inside import inside
from tests.cli.terminal import run

__all__ = ["inside", "run"]
