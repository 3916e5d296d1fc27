"""Makes the process that it is loaded into fail at a chosen point; only tests put it on a path.

`FAULT` is `call:number:when:what`, for one process: before or after the `number`th time that it
calls `call` (fsync or replace of `os`), `what` happens: kill, full (the disk is), cut (the code in
`FAULT_CUT` cuts the connections to the database) or hold (until the FIFO `FAULT_HOLD` is written
to). `step` in place of `call` counts what Python's audit hooks tell of: files of SQLite opened,
folders made, processes started. `FAULT_IN` is what the command line must hold.
"""

import os
import signal
import sys


def _parse() -> "tuple[str, int, str, str] | None":
    said = os.environ.get("FAULT")
    if not said or os.environ["FAULT_IN"] not in " ".join(sys.orig_argv):
        return None
    call, number, when, what = said.split(":")
    if call == "none":
        return None
    return call, int(number), when, what


def _happen(what: str) -> None:
    done = os.environ.get("FAULT_DONE")
    if done:
        os.close(os.open(done, os.O_CREAT | os.O_WRONLY))
    if what == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif what == "full":
        raise OSError(28, "No space left on device")
    elif what == "cut":
        code = os.environ["FAULT_CUT"]
        exec(code, {"URL": os.environ["FAULT_URL"]})
    elif what == "hold":
        with open(os.environ["FAULT_HOLD"], "rb") as fifo:  # noqa: PTH123
            fifo.read()


STEPS = frozenset({"sqlite3.connect", "os.mkdir", "subprocess.Popen"})


def _install(call: str, number: int, when: str, what: str) -> None:
    count = [0]
    if call == "step":

        def stepped(event: str, _args: object) -> None:
            count[0] += event in STEPS
            if event in STEPS and count[0] == number:
                _happen(what)

        sys.addaudithook(stepped)
        return
    original = getattr(os, call)

    def failing(*args: object, **kwargs: object) -> object:
        count[0] += 1
        here = count[0] == number
        if here and when == "before":
            _happen(what)
        result = original(*args, **kwargs)
        if here and when == "after":
            _happen(what)
        return result

    setattr(os, call, failing)


_found = _parse()
if _found is not None:
    _install(*_found)
