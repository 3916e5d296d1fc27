"""Orders for shadows, and a place where nothing of them may be left."""

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rulezero_policies.plan import DatabaseIdentity
from rulezero_policies.rehearsal import NotRehearsed
from rulezero_server import shadows
from rulezero_server.shadows import private
from rulezero_server.shadows.wishes import Wishes

OpenShadow = Callable[..., contextlib.AbstractContextManager[Any]]


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder for private folders; its path is short enough for a socket."""
    folder = Path(tempfile.mkdtemp(prefix="rz-sh-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def warm_place() -> Iterator[Path]:
    """A folder whose private servers are kept for the session."""
    folder = Path(tempfile.mkdtemp(prefix="rz-wa-"))
    folder.chmod(0o711)
    yield folder
    private.end_all()
    left = list(folder.iterdir())
    shutil.rmtree(folder, ignore_errors=True)
    assert left == []


@pytest.fixture
def open_shadow(place: Path) -> OpenShadow:
    """`open_shadow(access, protected=False, **wishes)`: a shadow that has to be made."""

    @contextlib.contextmanager
    def opened(
        access: dict[str, Any],
        *,
        protected: bool = False,
        folder: Path | None = None,
        variables: dict[str, str] | None = None,
        **wishes: Any,
    ) -> Generator[shadows.Made]:
        identity = DatabaseIdentity(
            dialect=access["dialect"], host=None, port=None, name="it", server_id=None
        )
        allowed = replace(Wishes(seconds=60), **wishes)
        said: dict[str, Any] = {
            "protected": protected,
            "folder": folder or place,
            "variables": variables,
        }
        with shadows.open(access, identity, allowed, **said) as made:
            assert not isinstance(made, NotRehearsed), made
            yield made

    return opened


@pytest.fixture
def no_shadow(place: Path) -> Callable[..., NotRehearsed]:
    """`no_shadow(access, **wishes)`: why there is none."""

    def refused(
        access: dict[str, Any],
        *,
        protected: bool = False,
        folder: Path | None = None,
        **wishes: Any,
    ) -> NotRehearsed:
        identity = DatabaseIdentity(
            dialect=access["dialect"], host=None, port=None, name="it", server_id=None
        )
        allowed = replace(Wishes(seconds=60), **wishes)
        where = folder or place
        with shadows.open(access, identity, allowed, protected=protected, folder=where) as made:
            assert isinstance(made, NotRehearsed)
            return made

    return refused
