"""The demo on a machine with nothing configured: every sample arrives, at the twin and in the warehouse, and all agree."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path


def test_the_demo_shows_the_samples_in_the_warehouse(tmp_path: Path) -> None:
    clean = {name: text for name, text in os.environ.items() if not name.startswith(("CANDU_SOURCE_", "PROMETHEUS_"))}
    command = [sys.executable, "-m", "candu_source", "demo", "--once", "--json"]
    done = subprocess.run(
        command, cwd=tmp_path, env={**clean, "CANDU_SOURCE_MIN_FREE_MB": "0"}, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads(done.stdout)
    tables = report["warehouse"]["tables"]
    assert report["agree"] is True
    calls = sum(tables[name] for name in ("screens", "tracks", "identifies", "groups"))
    assert calls == report["ledger"]["delivered"] == report["twin"]["stored"] > 0
    assert report["warehouse"]["answer"][0]["views"] == tables["screens"]
