"""Whether the main branch holds a definition: asked of git without running anything of the project.

A repository's own configuration can name programs (hooks, filters, a pager, a transport). Only
plumbing is called that runs none of them, with the configuration of nobody else, and no transport
is allowed: an object that a partial clone lacks is not fetched.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

MAIN = (
    "refs/remotes/origin/HEAD",
    "refs/remotes/origin/main",
    "refs/remotes/origin/master",
    "refs/heads/main",
    "refs/heads/master",
)
"""What the main branch may be, in the order in which it is looked for."""

PATIENCE = 5.0
"""Seconds for one question to git."""

MOST_BYTES = 2_000_000
"""Of a file on the main branch."""

_ALONE = (
    "--no-pager",
    "--no-optional-locks",
    "--literal-pathspecs",
    *("-c", "core.fsmonitor=false"),
    *("-c", f"core.hooksPath={os.devnull}"),
    *("-c", f"core.attributesFile={os.devnull}"),
)

_QUIET = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    # A repository can allow a transport that is a program; the environment has the last word.
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}


@dataclass(frozen=True, kw_only=True)
class Held:
    """What the main branch said; `on_main` None: not known, and `reason` says why."""

    on_main: bool | None
    reason: str
    branch: str | None = None


@dataclass(frozen=True, kw_only=True)
class _Said:
    """What git answered; `failed` is its exit status, or -1 where it gave no answer."""

    failed: int
    text: bytes = b""
    why: str = ""


class History:
    """The main branch of the repository that a project's folder is in."""

    def __init__(self, root: Path, variables: Mapping[str, str] | None = None) -> None:
        """Look at the project in `root`; git is searched for with the PATH of `variables`."""
        self._root = root
        given = os.environ if variables is None else variables
        kept = {k: given[k] for k in ("PATH", "SYSTEMROOT", "TEMP") if k in given}
        self._variables = {**kept, **_QUIET}

    def on_main(self, path: str, text: str) -> bool | None:
        """Whether the main branch has `text` in the file at `path`; None: not known."""
        return self.held(path, text).on_main

    def held(self, path: str, text: str) -> Held:
        """The same, with the reason.

        Args:
            path: A file below the project's folder, with slashes.
            text: Whole lines, as they stand in the working tree.
        """
        branch, reason = self._main
        if branch is None:
            return Held(on_main=None, reason=reason)
        inside = PurePosixPath(path)
        if inside.is_absolute() or ".." in inside.parts or "\0" in path:
            return Held(on_main=None, reason="the file is not one of the project's", branch=branch)
        listed = self._asked("ls-tree", "-z", branch, "--", f"./{inside}")
        if listed.failed:
            return Held(on_main=None, reason=_unknown(listed), branch=branch)
        if not listed.text:
            return Held(on_main=False, reason=f"{branch} has no file {path}", branch=branch)
        return self._compared(listed.text, path, text, branch)

    def _compared(self, entry: bytes, path: str, text: str, branch: str) -> Held:
        mode, kind, name = entry.split(b"\t")[0].decode("ascii", "replace").split(" ")[:3]
        if kind != "blob" or mode == "120000":
            return Held(on_main=None, reason=f"{path} is no plain file there", branch=branch)
        size = self._asked("cat-file", "-s", name)
        if size.failed:
            return Held(on_main=None, reason=_unknown(size), branch=branch)
        if int(size.text) > MOST_BYTES:
            return Held(on_main=None, reason=f"{path} is too large there", branch=branch)
        blob = self._asked("cat-file", "blob", name)
        if blob.failed:
            return Held(on_main=None, reason=_unknown(blob), branch=branch)
        there = _lines(text) in _lines(blob.text.decode("utf-8", "replace"))
        said = "has it" if there else "has other lines in its place"
        return Held(on_main=there, reason=f"{branch} {said}", branch=branch)

    @cached_property
    def _main(self) -> tuple[str | None, str]:
        """The main branch, or why there is none."""
        if self._git is None:
            return None, "git is not installed"
        inside = self._asked("rev-parse", "--is-shallow-repository")
        if inside.failed:
            return None, _unknown(inside)
        for name in MAIN:
            if not self._asked("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}").failed:
                return name.removeprefix("refs/").removeprefix("heads/"), ""
        shallow = ", and this clone is shallow" if inside.text.strip() == b"true" else ""
        return None, f"no main branch is known here{shallow}"

    @cached_property
    def _git(self) -> str | None:
        """The git that is installed: not one that the project brings."""
        found = shutil.which("git", path=self._variables.get("PATH", ""))
        if found is None or not Path(found).is_absolute():
            return None
        return None if Path(found).is_relative_to(self._root.resolve()) else found

    def _asked(self, *words: str) -> _Said:
        try:
            done = subprocess.run(
                [str(self._git), *_ALONE, *words],
                cwd=self._root,
                env=self._variables,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=PATIENCE,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return _Said(failed=-1, why=f"git gave no answer within {PATIENCE:g} s")
        except OSError:
            return _Said(failed=-1, why="git could not be started")
        why = done.stderr.decode("utf-8", "replace")
        return _Said(failed=done.returncode, text=done.stdout, why=why)


def _unknown(said: _Said) -> str:
    """Why git did not answer, in words that name no path of the machine."""
    if "not a git repository" in said.why:
        return "the project is not in a git repository"
    if "dubious ownership" in said.why:
        return "git does not trust the repository: another user owns it"
    return said.why if said.failed < 0 else "git could not read the repository"


def _lines(text: str) -> str:
    """Lines with the same ends, between line ends."""
    ended = (line.rstrip() for line in text.strip("\n").splitlines())
    return "\n{}\n".format("\n".join(ended))
