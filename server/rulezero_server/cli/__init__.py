"""The command line. `serve` is started without the rest: a client waits for it."""

import sys


def main() -> None:
    """Run `rulezero`."""
    if sys.argv[1:2] == ["serve"] and not {"--help", "-h"} & set(sys.argv):
        from rulezero_server.cli.serve import main as serve  # noqa: PLC0415 - start-up time

        serve(sys.argv[2:])
        return
    from rulezero_server.cli.commands import cli  # noqa: PLC0415 - typer and rich are not for `serve`

    cli()
