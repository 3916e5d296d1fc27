"""`rulezero serve`, with as few imports as it takes."""

import argparse
import sys
import threading
from collections.abc import Sequence
from pathlib import Path


def parser() -> argparse.ArgumentParser:
    """The options of `serve`."""
    made = argparse.ArgumentParser(
        prog="rulezero serve", description="Serve MCP on stdin and stdout, for one project."
    )
    made.add_argument("--project", type=Path, default=Path(), help="the project's folder")
    made.add_argument(
        "--read-only", action="store_true", help="offer no tool that writes a file or a database"
    )
    return made


def main(arguments: Sequence[str]) -> None:
    """Parse and serve; a folder that is not there is said on stderr, with exit status 2."""
    options = parser().parse_args(arguments)
    if not options.project.is_dir():
        sys.stderr.write(f"rulezero: {options.project} is not a folder. Next: --project DIR.\n")
        raise SystemExit(2)
    from rulezero_server.app import App  # noqa: PLC0415 - after the arguments are known to be good
    from rulezero_server.server import serve  # noqa: PLC0415

    # What a killed server left must not wait for the next rehearsal; the client does not wait.
    threading.Thread(target=_sweep, daemon=True).start()
    serve(App(options.project, read_only=options.read_only))


def _sweep() -> None:
    from rulezero_server.shadows import sweep  # noqa: PLC0415 - beside the start, not before it

    sweep()
