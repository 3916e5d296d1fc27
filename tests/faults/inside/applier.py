"""A server that applies one plan: `applier.py PROJECT STORE PLAN TOKEN`; it prints the status."""

import sys
from pathlib import Path

from rulezero_policies.errors import RulezeroError
from rulezero_server.app import App
from rulezero_server.stores import open_store
from rulezero_tools.apply import apply


def main(folder: str, store: str, plan_id: str, token: str) -> None:
    app = App(Path(folder), store=open_store(store))
    session = app.session(None, client="test")
    try:
        result = apply(session, app.runner(session), plan_id=plan_id, token=token)
    except RulezeroError as error:
        sys.stdout.write(f"{error.code}\n")
    else:
        sys.stdout.write(f"{result.status} {result.repeated}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
