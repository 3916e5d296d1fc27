"""On Linux the kernel itself keeps this process, and what it forks, from starting a program.

An audit hook sees what the standard library does; C code, and ctypes, go past it. A filter of
system calls does not, needs no privilege, and cannot be taken away again.
"""

from __future__ import annotations

import os
import struct
import sys
from errno import EPERM
from typing import NamedTuple


class _Machine(NamedTuple):
    """A processor's calls: its own number, and those of execve and execveat."""

    audit: int
    calls: tuple[int, int]
    x32: bool = False


_MACHINES = {
    "x86_64": _Machine(audit=0xC000003E, calls=(59, 322), x32=True),
    "aarch64": _Machine(audit=0xC00000B7, calls=(221, 281)),
}

_NO_NEW_PRIVILEGES, _SET_FILTER, _FILTER = 38, 22, 2
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _ERROR = 0x7FFF0000, 0x00050000 | EPERM
_NUMBER, _ARCHITECTURE = 0, 4
"""Where a filter finds the call's number, and the kind of processor it is called for."""

_X32 = 0x40000000


def install() -> bool:
    """From now on no program can be started.

    Returns:
        Whether the platform offers that; where it does not, nothing is changed.
    """
    machine = _MACHINES.get(os.uname().machine) if hasattr(os, "uname") else None
    if not sys.platform.startswith("linux") or machine is None or sys.maxsize < 2**32:
        return False
    try:
        return _apply(_filter(machine))
    except (ImportError, OSError, AttributeError):
        return False


def _filter(machine: _Machine) -> list[tuple[int, int, int, int]]:
    """The filter's steps: code, jump if so, jump if not, value."""
    refused = [(_EQUAL, number) for number in machine.calls]
    if machine.x32:
        refused.append((_AT_LEAST, _X32))
    checks = [(code, len(refused) - place, 0, value) for place, (code, value) in enumerate(refused)]
    return [
        (_LOAD, 0, 0, _ARCHITECTURE),
        # A call by another processor's numbers is not told apart: it is refused.
        (_EQUAL, 0, len(checks) + 2, machine.audit),
        (_LOAD, 0, 0, _NUMBER),
        *checks,
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _ERROR),
    ]


def _apply(steps: list[tuple[int, int, int, int]]) -> bool:
    import ctypes  # noqa: PLC0415 - only here, and only on Linux

    program = b"".join(struct.pack("=HBBI", *step) for step in steps)
    held = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("@HP", len(steps), ctypes.addressof(held))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl.argtypes = [ctypes.c_int, *([ctypes.c_ulong] * 4)]
    given = ctypes.create_string_buffer(header, len(header))
    if prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        return False
    done = prctl(_SET_FILTER, _FILTER, ctypes.addressof(given), 0, 0) == 0
    return bool(done)
