"""Run benchmarks by name, or all of them: `python -m benchmarks [NAME ...] [--quick] [--json]`; exit 1 when a target is missed."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks import accept, backlog, committer, console, deliver, memory, message, streams, warehouse
from benchmarks.report import Row, as_json, table
from benchmarks.rounds import Bench
from benchmarks.running import CHECKOUT

BENCHMARKS: Mapping[str, Callable[[Bench], list[Row]]] = {
    "accept": accept.run,
    "deliver": deliver.run,
    "backlog": backlog.run,
    "memory": memory.run,
    "committer": committer.run,
    "message": message.run,
    "pages": console.run,
    "warehouse": warehouse.run,
    "streams": streams.run,
}


def main(arguments: Sequence[str]) -> int:
    """Run what is asked for, print each benchmark's table when it is done, and return the exit code."""
    options = _options(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # unwind, so that every process started is ended
    rows: list[Row] = []
    disk = CHECKOUT / "var"  # not a directory in memory: fsync must cost what it costs
    disk.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=disk) as directory:
        bench = Bench(Path(directory), quick=options.quick)
        for name in options.names or BENCHMARKS:
            began = time.monotonic()
            measured = BENCHMARKS[name](bench)
            bench.say(f"{name}: done in {time.monotonic() - began:.0f} s")
            if not options.json:
                print(table(measured), end="\n\n", flush=True)
            rows += measured
    if options.json:
        print(as_json(rows))
    return 1 if any(row.missed for row in rows) else 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure the service against named peers.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(BENCHMARKS)}; all of them when none is named")
    parser.add_argument("--quick", action="store_true", help="two short rounds of each: to see that it runs, not to judge")
    parser.add_argument("--json", action="store_true", help="print JSON in place of the table")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(BENCHMARKS):
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}; choose from {', '.join(BENCHMARKS)}")
    return options


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
