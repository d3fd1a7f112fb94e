"""Start the command line."""

from __future__ import annotations

import os
import sys

from candu_source.errors import SettingsError
from candu_source.settings import Settings

# prometheus-client decides at import whether processes share their metrics, so the directory is named before anything imports it.
_SHARING = frozenset({"serve", "web", "worker"})


def main() -> None:
    """Run the command line; a setting that is off ends it with one line and exit code 2."""
    try:
        settings = Settings.load(os.environ)
    except SettingsError as error:
        sys.exit(_complain(error))
    if _SHARING & set(sys.argv[1:2]):
        directory = settings.store_path().absolute().with_name(settings.store_path().name + ".metrics")
        directory.mkdir(parents=True, exist_ok=True)
        os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(directory))
    from candu_source.cli import commands  # noqa: PLC0415 - see above

    commands(obj=settings, prog_name="candu-source")


def _complain(error: SettingsError) -> int:
    sys.stderr.write(f"candu-source: {error}\n")
    return 2


if __name__ == "__main__":
    main()
