"""What a process needs of its machine, and nothing that says anything about a project."""

import os
from collections.abc import Mapping
from pathlib import Path

_NEEDED = frozenset(
    {
        "LANG", "LANGUAGE", "TZ", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "WINDIR",
        "COMSPEC", "PATHEXT", "SYSTEMDRIVE", "NUMBER_OF_PROCESSORS", "LD_LIBRARY_PATH",
    }
)  # fmt: skip


def of_the_machine(home: Path) -> Mapping[str, str]:
    """The variables of a process that has no user: what programs keep in `home` is not found.

    Args:
        home: An empty folder.
    """
    kept = {k: v for k, v in os.environ.items() if k.upper() in _NEEDED or k.startswith("LC_")}
    installed = Path.home() / ".local"
    packages = {"PYTHONUSERBASE": str(installed)} if installed.is_dir() else {}
    return {**kept, **packages, "HOME": str(home), "USERPROFILE": str(home)}
