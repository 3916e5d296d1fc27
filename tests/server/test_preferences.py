"""The user's own policy.toml, and what a project's settings may add to it."""

import dataclasses
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rulezero_policies.errors import PolicyLoosened, UnreadableConfig
from rulezero_policies.policy import LEVELS, Need, Needs, Policy, need
from rulezero_server import places, preferences, settings
from rulezero_server.launch import Allow, Limits
from rulezero_server.policyfile import Line, lines, of_apply
from rulezero_server.preferences import Preferences, effective
from rulezero_server.project import WorkerProject
from rulezero_server.shadows.wishes import Wishes
from rulezero_server.tomlfile import Reader

posix_modes = pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")

pytestmark = pytest.mark.proves("D04")

Say = Callable[..., Preferences]


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's configuration folder."""
    folder = tmp_path / "config"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("RULEZERO_CONFIG_DIR", str(folder))
    monkeypatch.delenv("RULEZERO_STORE", raising=False)
    return folder


@pytest.fixture
def say(config: Path) -> Say:
    """`say(text)`: the preferences of a policy.toml with this text."""

    def write(text: str) -> Preferences:
        file = config / "policy.toml"
        file.write_text(text, encoding="utf-8")
        file.chmod(0o600)
        return preferences.read()

    return write


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., settings.Settings]:
    """`project(text)`: the settings of a project whose rulezero.toml says this."""

    def write(text: str, name: str = "rulezero.toml") -> settings.Settings:
        folder = tmp_path / "project"
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
        return settings.read(folder)

    return write


# --- the file ---


def test_without_a_file_everything_is_the_default(config: Path) -> None:
    assert preferences.read() == Preferences()
    assert Preferences().policy == Policy()
    config.rmdir()
    assert preferences.read() == Preferences()


FULL = """
[approval]
local = { SAFE = "client", WARNING = "secret", CRITICAL = "passkey if enrolled" }
protected = { SAFE = "secret", WARNING = "passkey if enrolled", CRITICAL = "passkey" }
plan_minutes = 30
question_minutes = 0.5
token_minutes = 5
pin_attempts = 3
lock_minutes = 60
protected_environments = ["staging", "production"]
[page]
open_browser = false
wait_seconds = 3.5
[store]
url = "postgresql://me@db/rulezero"
[reading]
programs = ["git"]
hosts = ["redis:6379"]
write_hooks = true
settings = ["/etc/shop"]
[rehearsal]
on = false
where = "server"
postgresql = "postgresql://me:secret@rehearsals/"
mysql = "mysql://me:secret@rehearsals/"
real_rows = "never"
seconds = 7.5
megabytes = 20
rows = 1000
[apply]
lock_timeout = 0.5
statement_timeout = 600
retries = 0
backup = "always"
backup_folder = "/backups"
backup_megabytes = 50
"""


def test_everything_can_be_said(say: Say) -> None:
    found = say(FULL)
    assert found == Preferences(
        policy=Policy(
            plan_seconds=1800,
            question_seconds=30,
            grant_seconds=300,
            pin_attempts=3,
            lock_seconds=3600,
            backup="always",
            local=Needs(
                safe=need("client"), warning=need("secret"), critical=need("client", "passkey")
            ),
            protected=Needs(
                safe=need("secret"), warning=need("secret", "passkey"), critical=need("passkey")
            ),
            protected_environments=("production", "staging"),
        ),
        wait_seconds=3.5,
        open_browser=False,
        store="postgresql://me@db/rulezero",
        programs=("git",),
        hosts=("redis:6379",),
        write_hooks=True,
        settings_folders=(Path("/etc/shop"),),
        rehearsal=Wishes(
            on=False,
            where="server",
            postgresql="postgresql://me:secret@rehearsals/",
            mysql="mysql://me:secret@rehearsals/",
            real_rows="never",
            seconds=7.5,
            megabytes=20,
            rows=1000,
        ),
        lock_timeout=0.5,
        statement_timeout=600.0,
        retries=0,
        backup_folder=Path("/backups"),
        backup_megabytes=50.0,
    )
    assert found.limits == Limits(lock_timeout=0.5, statement_timeout=600.0, retries=0)
    assert found.allow == Allow(programs=("git",), hosts=("redis:6379",), write_hooks=True)
    assert "secret@" not in repr(found.rehearsal)


def test_a_shadow_stands_where_the_policy_says(say: Say) -> None:
    usual = Wishes()
    assert usual.place("postgresql") == usual.place("mysql") == "private"
    named = say("[rehearsal]\npostgresql = 'postgresql://rehearsals/'").rehearsal
    assert (named.place("postgresql"), named.place("mysql")) == ("url", "private")
    assert say("[rehearsal]\nwhere = 'server'").rehearsal.place("mysql") == "server"


@pytest.mark.parametrize(
    ("real_rows", "protected", "stays", "copied"),
    [
        ("local", False, False, True),
        ("local", True, False, False),
        ("local", True, True, True),
        ("always", True, False, True),
        ("never", False, True, False),
    ],
)
def test_whose_rows_are_copied_is_what_the_policy_says(
    say: Say, real_rows: str, *, protected: bool, stays: bool, copied: bool
) -> None:
    wishes = say(f"[rehearsal]\nreal_rows = '{real_rows}'").rehearsal
    assert wishes.copies_rows(protected=protected, stays=stays) is copied


def test_one_level_stands_for_every_risk(say: Say) -> None:
    assert say('[approval]\nlocal = "client"').policy.local == Needs(
        safe=need("client"), warning=need("client"), critical=need("client")
    )


def test_a_risk_that_is_not_named_keeps_its_default(say: Say) -> None:
    found = say('[approval]\nlocal = { CRITICAL = "secret" }').policy.local
    assert (found.safe, found.warning) == (Policy().local.safe, Policy().local.warning)
    assert found.critical == need("secret")


def test_a_need_is_read_as_it_is_said(say: Say) -> None:
    for needed in (need(a, b) for a in ("client", "secret") for b in LEVELS):
        kind = "protected" if needed.least == "secret" else "local"
        if kind == "protected" or needed.words != "client":
            found = say(f'[approval]\n{kind} = "{needed.words}"').policy
            assert getattr(found, kind).safe.words == needed.words


def test_the_environment_says_which_store(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    assert say("").store is None
    monkeypatch.setenv("RULEZERO_STORE", "postgresql:///other")
    assert say(FULL).store == "postgresql:///other"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[aproval]", "unknown key aproval; known: approval, page"),
        ("timeout = 3", "unknown key timeout"),
        ("[approval]\nlocall = 'client'", "unknown key approval.locall"),
        ("[approval]\nlocal = 'pin'", "approval.local.SAFE must be one of 'client', 'secret'"),
        ("[approval]\nlocal = 'client if enrolled'", "approval.local.SAFE must be one of"),
        ("[approval]\nlocal = 3", "approval.local must be a level, or a table"),
        ("[approval]\nlocal = { safe = 'client' }", "unknown key approval.local.safe"),
        ("[approval]\nlocal = { SAFE = 3 }", "approval.local.SAFE must be a string"),
        ("[approval]\nprotected = 'client'", "approval.protected.SAFE must be one of 'secret'"),
        ("[approval.protected]\nCRITICAL = 'client'", "approval.protected.CRITICAL must be one"),
        ("[approval]\nplan_minutes = 0", "approval.plan_minutes must be a number of minutes"),
        ("[approval]\nplan_minutes = 10081", "at most 10080"),
        ("[approval]\nplan_minutes = inf", "at most 10080"),
        ("[approval]\ntoken_minutes = '5'", "approval.token_minutes must be a number"),
        ("[approval]\npin_attempts = 0", "approval.pin_attempts must be a whole number from 1"),
        ("[approval]\npin_attempts = 2.5", "approval.pin_attempts must be a whole number"),
        ("[approval]\npin_attempts = 21", "approval.pin_attempts must be a whole number"),
        ("[approval]\nprotected_environments = 'a'", "must be a list of strings"),
        ("[approval]\nprotected_environments = [1]", "must be a list of strings"),
        ("[page]\nwait_seconds = 26", "page.wait_seconds must be a number of seconds above 0, at"),
        ("[page]\nopen_browser = 1", "page.open_browser must be true or false"),
        ("[page]\nport = 1", "unknown key page.port"),
        ("[store]\nurl = 3", "store.url must be a string"),
        ("[store]\nuri = 'x'", "unknown key store.uri"),
        ("[reading]\nprograms = 'git'", "reading.programs must be a list of strings"),
        ("[reading]\nhosts = ['']", "reading.hosts must be a list of strings"),
        ("[reading]\nsettings = ['etc']", "reading.settings must be a list of absolute paths"),
        ("[reading]\nwrite_hooks = 'no'", "reading.write_hooks must be true or false"),
        ("[rehearsal]\nwhere = 'there'", "rehearsal.where must be one of private, server, url"),
        ("[rehearsal]\nreal_rows = 1", "rehearsal.real_rows must be a string"),
        ("[rehearsal]\nseconds = 0", "rehearsal.seconds must be a number of seconds above 0"),
        ("[rehearsal]\nurl = ''", "unknown key rehearsal.url"),
        ("[apply]\nlock_timeout = 0", "apply.lock_timeout must be a number of seconds above 0"),
        ("[apply]\nretries = 1.5", "apply.retries must be a whole number from 0 to 20"),
        ("[apply]\nretries = -1", "apply.retries must be a whole number from 0 to 20"),
        ("[apply]\nretry = 1", "unknown key apply.retry"),
        ("[apply]\nbackup = 'often'", "apply.backup must be one of 'never', 'critical', 'always'"),
        ("[apply]\nbackup = true", "apply.backup must be a string"),
        ("[apply]\nbackup_folder = 1", "apply.backup_folder must be a string"),
        ("[apply]\nbackup_megabytes = 0", "must be a number of megabytes above 0"),
        ("approval = 3", "approval must be a table"),
        ("[approval", "Expected ']'"),
    ],
)
def test_what_is_wrong_in_the_policy_is_named(say: Say, text: str, reason: str) -> None:
    with pytest.raises(UnreadableConfig) as refused:
        say(text)
    assert reason in str(refused.value)
    assert "policy.toml" in str(refused.value)


def test_a_url_that_is_no_text_is_not_repeated(say: Say) -> None:
    with pytest.raises(UnreadableConfig) as refused:
        say("[store]\nurl = ['postgresql://me:hunter2@db/x']")
    assert "hunter2" not in str(refused.value)


@posix_modes
@pytest.mark.proves("C03")
@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_policy_that_others_may_write_is_refused(say: Say, config: Path, mode: int) -> None:
    say("")
    (config / "policy.toml").chmod(mode)
    with pytest.raises(UnreadableConfig, match="other users may write"):
        preferences.read()


@posix_modes
@pytest.mark.proves("C03")
def test_a_policy_that_others_may_replace_is_refused(say: Say, config: Path) -> None:
    say("")
    config.chmod(0o777)
    with pytest.raises(UnreadableConfig, match="other users may write"):
        preferences.read()


@posix_modes
@pytest.mark.proves("C03")
def test_a_linked_policy_is_looked_at_where_it_lies(config: Path, tmp_path: Path) -> None:
    open_to_all = tmp_path / "open"
    open_to_all.mkdir()
    (open_to_all / "mine.toml").write_text("")
    (open_to_all / "mine.toml").chmod(0o600)
    (config / "policy.toml").symlink_to(open_to_all / "mine.toml")
    open_to_all.chmod(0o777)
    with pytest.raises(UnreadableConfig, match="other users may write"):
        preferences.read()
    open_to_all.chmod(0o700)
    assert preferences.read() == Preferences()


@posix_modes
def test_a_link_to_nothing_is_not_taken_for_no_policy(config: Path, tmp_path: Path) -> None:
    (config / "policy.toml").symlink_to(tmp_path / "gone.toml")
    with pytest.raises(UnreadableConfig):
        preferences.read()


def test_the_folder_is_the_users_unless_another_is_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def user_config_path(name: str, *, appauthor: bool) -> Path:
        return tmp_path / name

    monkeypatch.delenv("RULEZERO_CONFIG_DIR", raising=False)
    monkeypatch.setattr("platformdirs.user_config_path", user_config_path)
    assert places.config_dir() == tmp_path / "rulezero"


def test_the_default_preferences_import_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom rulezero_server import preferences\npreferences.read()\n"
        "heavy = {'tomllib', 'pydantic', 'sqlalchemy', 'platformdirs', 'subprocess', 'typer'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    environment = {**os.environ, "RULEZERO_CONFIG_DIR": str(tmp_path / "none")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_what_is_allowed_to_project_code_reaches_its_worker(
    say: Say, copy_project: Callable[[str], Path]
) -> None:
    folder = copy_project("alembic_shop")
    assert WorkerProject.open(folder).target.allow == Allow()
    say("[reading]\nprograms = ['git']\nwrite_hooks = true")
    assert WorkerProject.open(folder).target.allow == Allow(programs=("git",), write_hooks=True)


def test_how_long_a_migration_waits_reaches_its_run(
    say: Say, copy_project: Callable[[str], Path]
) -> None:
    folder = copy_project("alembic_shop")
    assert WorkerProject.open(folder).target.limits == Limits()
    say("[apply]\nlock_timeout = 1")
    assert WorkerProject.open(folder).target.limits == Limits(lock_timeout=1.0)


def test_the_documented_policy_is_the_default(say: Say) -> None:
    text = (Path(__file__).parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")
    project, policy = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    assert "protected_environments" in project
    assert say(policy) == Preferences()
    said, apply = (Reader(file="", folder=Path(), table=one) for one in EVERY)
    assert {f.name for f in dataclasses.fields(Policy)} == {
        line.field for line in (*lines(said), *of_apply(apply))
    }


EVERY = tomllib.loads(FULL)["approval"], tomllib.loads(FULL)["apply"]


# --- what a project may add ---


def test_a_project_that_says_nothing_changes_nothing(
    say: Say, project: Callable[..., settings.Settings]
) -> None:
    mine = say(FULL)
    assert effective(mine, project("")) == mine.policy
    assert effective(mine, project("timeout = 3")) == mine.policy


@pytest.mark.parametrize("name", ["rulezero.toml", "pyproject.toml"])
def test_a_project_tightens(project: Callable[..., settings.Settings], name: str) -> None:
    table = "approval" if name == "rulezero.toml" else "tool.rulezero.approval"
    text = (
        f"[{table}]\nlocal = 'secret'\nplan_minutes = 10\nlock_minutes = 30\n"
        "protected_environments = ['staging']\n"
    )
    policy = effective(Preferences(), project(text, name))
    assert policy.local == Needs(
        safe=need("secret"), warning=need("secret"), critical=need("secret")
    )
    assert (policy.plan_seconds, policy.lock_seconds) == (600, 1800)
    assert policy.protected_environments == ("staging",)
    assert policy.protected == Policy().protected
    assert policy.digest != Policy().digest


@pytest.mark.proves("C03")
@pytest.mark.parametrize(
    ("mine", "theirs", "what"),
    [
        (
            "",
            "local = { CRITICAL = 'client' }",
            "approval.local.CRITICAL = 'client' (the policy: 'secret if enrolled')",
        ),
        ("", "local = 'client'", "approval.local.WARNING = 'client'"),
        (
            "local = 'secret'",
            "local = 'passkey if enrolled'",
            "approval.local.SAFE = 'passkey if enrolled' (the policy: 'secret')",
        ),
        (
            "protected = 'passkey'",
            "protected = 'secret'",
            "approval.protected.SAFE = 'secret' (the policy: 'passkey')",
        ),
        ("", "plan_minutes = 60.5", "approval.plan_minutes = 60.5 (the policy: 60)"),
        ("token_minutes = 1", "token_minutes = 2", "approval.token_minutes = 2 (the policy: 1)"),
        ("", "question_minutes = 11", "approval.question_minutes = 11 (the policy: 10)"),
        ("", "pin_attempts = 6", "approval.pin_attempts = 6 (the policy: 5)"),
        ("", "lock_minutes = 14", "approval.lock_minutes = 14 (the policy: 15)"),
    ],
)
def test_a_line_that_loosens_is_refused_by_name(
    say: Say, project: Callable[..., settings.Settings], mine: str, theirs: str, what: str
) -> None:
    user = say(f"[approval]\n{mine}")
    with pytest.raises(PolicyLoosened) as refused:
        effective(user, project(f"[approval]\n{theirs}"))
    assert what in str(refused.value)
    assert str(refused.value).startswith("rulezero.toml would loosen the policy")
    assert "policy.toml" in refused.value.advice


@pytest.mark.proves("C03")
@pytest.mark.parametrize("table", ["page", "store", "reading", "rehearsal"])
def test_what_only_the_user_may_say_is_refused_by_name(
    project: Callable[..., settings.Settings], table: str
) -> None:
    with pytest.raises(PolicyLoosened, match=rf"\[{table}\]"):
        project(f"[{table}]")


@pytest.mark.proves("C03")
@pytest.mark.parametrize("key", ["lock_timeout", "retries", "backup_folder", "backup_megabytes"])
def test_how_runs_are_made_only_the_user_may_say(
    project: Callable[..., settings.Settings], key: str
) -> None:
    with pytest.raises(PolicyLoosened, match=rf"\[apply\] {key}"):
        project(f"[apply]\n{key} = 1")


@pytest.mark.proves("C03")
def test_a_project_may_ask_for_more_backups_and_not_for_fewer(
    say: Say, project: Callable[..., settings.Settings]
) -> None:
    assert effective(say(""), project("[apply]\nbackup = 'always'")).backup == "always"
    with pytest.raises(PolicyLoosened, match=r"apply\.backup = 'never' \(the policy: 'critical'\)"):
        effective(say(""), project("[apply]\nbackup = 'never'"))
    never = say("[apply]\nbackup = 'never'")
    assert effective(never, project("")).backup == "never"
    assert effective(never, project("[apply]\nbackup = 'critical'")).backup == "critical"


@pytest.mark.proves("C03")
@pytest.mark.parametrize("who", ["user", "project"])
def test_an_environment_that_is_protected_by_name_is_not_opened(
    say: Say, project: Callable[..., settings.Settings], who: str
) -> None:
    protect = "[approval]\nprotected_environments = ['production']\n"
    user = say(protect if who == "user" else "")
    opens = "[environments.production]\nprotected = false\n"
    with pytest.raises(PolicyLoosened, match=r"environments\.production\.protected = false"):
        effective(user, project((protect if who == "project" else "") + opens))
    silent = effective(user, project("[environments.production]\nenv = {}\n" + protect))
    assert silent.protected_environments == ("production",)
    assert effective(say(""), project(opens)) == Policy()


NEED = st.builds(need, st.sampled_from(LEVELS), st.sampled_from(LEVELS))
NEEDS = st.builds(Needs, safe=NEED, warning=NEED, critical=NEED)
USERS = st.builds(
    Policy,
    plan_seconds=st.integers(1, 9),
    pin_attempts=st.integers(1, 9),
    lock_seconds=st.integers(1, 9),
    local=NEEDS,
    protected=NEEDS,
)


def lines_of(field: str, values: st.SearchStrategy[int]) -> st.SearchStrategy[Line]:
    return st.builds(Line, key=st.just(field), field=st.just(field), value=values)


NUMBERS = st.one_of(
    *(lines_of(f, st.integers(1, 9)) for f in ("plan_seconds", "pin_attempts", "lock_seconds"))
)
LEVEL_LINES = st.builds(
    Line,
    key=st.just("level"),
    field=st.sampled_from(["local", "protected"]),
    risk=st.sampled_from(["safe", "warning", "critical"]),
    value=NEED,
)


@pytest.mark.proves("C03")
@given(USERS, st.lists(NUMBERS | LEVEL_LINES, max_size=6))
def test_whatever_a_project_says_the_policy_is_never_looser(mine: Policy, said: list[Line]) -> None:
    chosen = settings.Settings(origin="rulezero.toml", approval=tuple(said))
    try:
        policy = effective(Preferences(policy=mine), chosen)
    except PolicyLoosened:
        return
    assert mine.loosened_by(policy) == ()
    for line in said:
        asked: Need | object = line.value
        kept = getattr(getattr(policy, line.field), line.risk) if line.risk else None
        if kept is not None and isinstance(asked, Need):
            assert kept.tightened(asked) == kept, "what the project asked for is kept"
