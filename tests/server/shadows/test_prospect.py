"""Where a shadow would stand, as the doctor says it."""

from pathlib import Path

import pytest

from rulezero_server.shadows import pginstalls, programs, prospect
from rulezero_server.shadows.errors import NoShadow
from rulezero_server.shadows.wishes import Wishes


def _install(major: int, *, server: bool = True) -> pginstalls.Install:
    return pginstalls.Install(
        folder=Path("there"), version=f"{major}.2", embedded=False, server=server, client=True
    )


@pytest.mark.parametrize(("target", "chosen"), [("15.1", 15), ("16.0", 18), ("14.3", 15)])
def test_the_server_is_of_the_targets_version_or_the_next_newer(
    monkeypatch: pytest.MonkeyPatch, target: str, chosen: int
) -> None:
    monkeypatch.setattr(pginstalls, "installs", lambda: (_install(15), _install(18)))
    said = prospect.where("postgresql", target, Wishes())
    assert said == f"PostgreSQL {chosen}.2, a private server"


def test_programs_older_than_the_target_are_no_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pginstalls, "installs", lambda: (_install(15),))
    with pytest.raises(NoShadow, match="the target is 18"):
        prospect.where("postgresql", "18.1", Wishes())


def test_with_a_named_server_no_server_has_to_be_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pginstalls, "installs", lambda: (_install(18, server=False),))
    named = Wishes(postgresql="postgresql://rehearsals/")
    assert "policy.toml names" in prospect.where("postgresql", "18.1", named)
    assert "own server" in prospect.where("postgresql", "18.1", Wishes(where="server"))
    with pytest.raises(NoShadow, match="no PostgreSQL server"):
        prospect.where("postgresql", "18.1", Wishes())


def test_without_mariadb_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(_name: str) -> None:
        return None

    monkeypatch.setattr(programs, "found", nothing)
    with pytest.raises(NoShadow) as none:
        prospect.where("mysql", "10.11", Wishes())
    assert "Install MariaDB" in none.value.mend


def test_a_file_can_always_be_copied() -> None:
    assert prospect.where("sqlite", "3.45", Wishes()) == "a copy of the file"
