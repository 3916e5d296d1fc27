"""Only the executor can reach a writable session: who may name, import and call what, exactly."""

import ast
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SERVER, TOOLS, POLICIES = (
    "server/rulezero_server",
    "tools/rulezero_tools",
    "policies/rulezero_policies",
)

REHEARSER, PROTOCOL = f"{SERVER}/rehearser.py", f"{SERVER}/worker/protocol.py"
TRIAL = f"{SERVER}/parity/trial.py"

DRIVERS = frozenset(
    {"aiosqlite", "asyncpg", "flask_migrate", "mysql", "MySQLdb", "pg8000", "psycopg", "psycopg2"}
    | {"alembic", "pymysql", "sqlalchemy", "sqlite3"}
)
STARTERS = frozenset({"multiprocessing", "pty", "subprocess"})
START_CALLS = frozenset(
    {"system", "popen", "posix_spawn", "posix_spawnp", "fork", "forkpty", "startfile"}
    | {"create_subprocess_exec", "create_subprocess_shell", "open_process", "run_process"}
    | {
        f"{family}{form}"
        for family in ("exec", "spawn")
        for form in ["l", "le", "lp", "lpe", "v", "ve", "vp", "vpe"]
    }
)

pytestmark = pytest.mark.proves("A01", "A19", "C03")


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of the three packages, by its path in the repository."""
    files = sorted(f for top in (SERVER, TOOLS, POLICIES) for f in (ROOT / top).rglob("*.py"))
    return {
        file.relative_to(ROOT).as_posix(): ast.parse(file.read_text(encoding="utf-8"))
        for file in files
    }


@cache
def walked() -> dict[str, tuple[ast.AST, ...]]:
    """Every node of every module: it is asked for often."""
    return {path: tuple(ast.walk(tree)) for path, tree in modules().items()}


def where(found: Callable[[ast.AST], bool]) -> set[str]:
    """The modules in which something is found."""
    return {path for path, nodes in walked().items() if any(map(found, nodes))}


def outside(rooms: tuple[str, ...], paths: set[str]) -> set[str]:
    return {path for path in paths if not path.startswith(tuple(f"{SERVER}/{r}/" for r in rooms))}


def called(node: ast.AST) -> str | None:
    """The last name of what is called, if this is a call."""
    if not isinstance(node, ast.Call):
        return None
    function = node.func
    return getattr(function, "attr", None) or getattr(function, "id", None)


def names(node: ast.AST) -> Iterator[str]:
    """Every name that a node uses or imports, without the strings."""
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Attribute):
        yield node.attr
    elif isinstance(node, ast.alias):
        yield node.name.rpartition(".")[2]
    elif isinstance(node, ast.ClassDef | ast.FunctionDef):
        yield node.name


def imports(node: ast.AST) -> Iterator[str]:
    """The top-level packages that a node imports."""
    if isinstance(node, ast.Import):
        yield from (alias.name.partition(".")[0] for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.level == 0:
        yield (node.module or "").partition(".")[0]


def naming(name: str) -> set[str]:
    return {path for path, found in told()[0].items() if name in found}


def calling(name: str) -> set[str]:
    return {path for path, found in told()[1].items() if name in found}


@cache
def told() -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Every name that a module uses, and everything that it calls."""
    named = {p: {n for node in nodes for n in names(node)} for p, nodes in walked().items()}
    calls = {p: {called(node) or "" for node in nodes} for p, nodes in walked().items()}
    return named, calls


def asks_for(mode: str) -> Callable[[ast.AST], bool]:
    """A question in this mode, or one whose mode or arguments cannot be seen."""

    def asks(node: ast.AST) -> bool:
        if not isinstance(node, ast.Call) or called(node) not in {"ask", "request"}:
            return False
        return any(
            k.arg is None
            or (
                k.arg == "mode" and (not isinstance(k.value, ast.Constant) or k.value.value == mode)
            )
            for k in node.keywords
        )

    return asks


def test_only_the_runner_asks_for_a_writable_session() -> None:
    runner, launcher = f"{SERVER}/runner.py", f"{SERVER}/launch.py"
    assert outside(("worker",), where(asks_for("running"))) - {launcher} == {runner}
    detours = {f"{SERVER}/worker/detour.py", f"{SERVER}/worker/besides.py"}
    assert naming("Detour") - {launcher} <= {REHEARSER, TRIAL, *detours, PROTOCOL}
    # The launcher hands on what its caller said, and never says it of itself.
    said = [
        ast.unparse(keyword.value)
        for node in ast.walk(modules()[launcher])
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "mode"
    ]
    assert set(said) <= {"mode"}
    rebound = [
        node
        for node in ast.walk(modules()[launcher])
        if isinstance(node, ast.Name) and node.id == "mode" and isinstance(node.ctx, ast.Store)
    ]
    assert rebound == []


def test_only_rehearsals_and_trials_ask_for_a_session_that_writes_to_a_shadow() -> None:
    asking = outside(("worker",), where(asks_for("rehearsing")))
    assert asking - {f"{SERVER}/launch.py"} == {REHEARSER, TRIAL}


def test_only_the_launcher_writes_a_request_to_the_worker() -> None:
    def request(node: ast.AST) -> bool:
        keys = node.keys if isinstance(node, ast.Dict) else []
        named = {key.value for key in keys if isinstance(key, ast.Constant)}
        return {"verb", "mode"} <= named

    assert outside(("worker",), where(request)) == {f"{SERVER}/launch.py"}
    assert outside(("worker",), naming("WORKER")) == {f"{SERVER}/launch.py"}


def test_only_the_runner_begins_a_run_of_its_own() -> None:
    runner, launcher = f"{SERVER}/runner.py", f"{SERVER}/launch.py"
    # Transactions of SQLAlchemy begin, too.
    begins = where(lambda node: called(node) == "begin" and "launch.begin" in ast.unparse(node))
    assert begins == {runner}
    assert calling("detached") == {launcher}
    writing = f"{SERVER}/parity/writing.py"  # asked for by the runner alone, see below
    assert calling("claim") == calling("to_hand_over") == {runner, writing}


def test_only_the_runner_removes_a_revision_file() -> None:
    """Whatever else is removed is rulezero's own: no module that removes names a revision."""
    removing = f"{SERVER}/discarding.py"
    imported = where(
        lambda node: (
            isinstance(node, ast.ImportFrom) and any(a.name == "discarding" for a in node.names)
        )
    )
    assert imported == {f"{SERVER}/runner.py"}
    removals = {"unlink", "rmtree", "remove_tree", "removedirs"}
    assert removing in where(lambda node: called(node) in removals)
    # The use cases and what decides remove nothing at all.
    assert {
        p for p in where(lambda node: called(node) in removals) if not p.startswith(SERVER)
    } == set()
    # The file goes only after the permit was checked.
    text = ast.unparse(modules()[f"{SERVER}/runner.py"])
    assert text.index("self._check(permit, plan)") < text.index("self._discard(plan, files)")
    assert text.index("_check_files(plan, files)") < text.index("self._discard(plan, files)")


def test_only_the_runner_writes_settings_files() -> None:
    runner, writing = f"{SERVER}/runner.py", f"{SERVER}/parity/writing.py"
    imported = where(
        lambda node: (
            isinstance(node, ast.ImportFrom)
            and (node.module or "").endswith("parity")
            and any(a.name == "writing" for a in node.names)
        )
    )
    assert imported == {runner}
    whole = where(lambda node: isinstance(node, ast.Import) and "writing" in ast.unparse(node))
    assert whole == set()
    # What is beside it reads, keeps backups in the state folder, and clears what a kill left.
    changes = {"write_bytes", "write_text", "rename", "unlink", "link", "symlink_to"}
    found = where(lambda node: called(node) in changes)
    beside = {f"{SERVER}/parity/{name}.py" for name in ("aftermath", "keyed")}
    beside.add(f"{SERVER}/parity/shadowed.py")  # stand-ins, in a folder that is thrown away
    assert {p for p in found if p.startswith(f"{SERVER}/parity/")} == {writing, *beside}
    text = ast.unparse(modules()[runner])
    assert text.index("self._check(permit, plan)") < text.index("self._write_files(plan)")


def test_only_the_executor_and_the_composition_root_know_a_runner() -> None:
    assert naming("Runner") == {
        f"{TOOLS}/runport.py",
        f"{TOOLS}/apply.py",
        f"{SERVER}/app.py",
    }
    assert naming("WorkerRunner") == {f"{SERVER}/runner.py", f"{SERVER}/app.py"}


def test_only_the_tool_apply_takes_a_runner_and_hands_it_straight_to_the_executor() -> None:
    def takes(node: ast.AST) -> bool:
        return isinstance(node, ast.Attribute) and node.attr == "runner"

    assert where(takes) == {f"{SERVER}/mcp_tools.py"}
    (tool,) = [
        node
        for node in ast.walk(modules()[f"{SERVER}/mcp_tools.py"])
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name == "apply"
        and any(takes(inner) for inner in ast.walk(node))
    ]
    executor = {
        alias.asname or alias.name
        for node in ast.walk(tool)
        if isinstance(node, ast.ImportFrom) and node.module == "rulezero_tools.apply"
        for alias in node.names
        if alias.name == "apply"
    }
    handed = [
        argument
        for node in ast.walk(tool)
        if isinstance(node, ast.Call) and called(node) in executor
        for argument in node.args
        if called(argument) == "runner"
    ]
    everywhere = [node for tree in modules().values() for node in ast.walk(tree) if takes(node)]
    assert len(handed) == len(everywhere) == 1


def test_only_the_executor_runs_a_runner() -> None:
    def runs(node: ast.AST) -> bool:
        return called(node) == "run" and "runner" in ast.unparse(node).partition("(")[0]

    assert where(runs) == {f"{TOOLS}/apply.py"}


def test_only_a_fix_rewrites_a_draft_and_only_one_module_writes_it() -> None:
    tool, project = f"{TOOLS}/fix.py", f"{SERVER}/project.py"
    # The worker rewrites drops and adds to renames in what autogenerate proposes.
    assert outside(("worker",), calling("rewrite")) == {tool, project}
    drafts = where(
        lambda node: (
            isinstance(node, ast.ImportFrom)
            and node.module == "rulezero_server"
            and any(alias.name == "drafts" for alias in node.names)
        )
    )
    assert drafts == {project}


def test_a_permit_is_made_in_one_place_from_a_spent_grant() -> None:
    assert calling("Permit") == {f"{POLICIES}/decision.py"}
    assert calling("permit") == {f"{TOOLS}/gate.py"}
    assert calling("spend") == {f"{TOOLS}/gate.py"}
    assert calling("redeem") == {f"{TOOLS}/{name}.py" for name in ("gate", "apply")}
    assert calling("choice") == {f"{TOOLS}/generate.py"}


def test_generating_is_given_no_permit() -> None:
    defined = ast.walk(modules()[f"{TOOLS}/gate.py"])
    choice = next(n for n in defined if isinstance(n, ast.FunctionDef) and n.name == "choice")
    assert ast.unparse(choice.body[-1]) == "return redeem(session, plan, token).chosen"
    assert "Permit" not in ast.dump(modules()[f"{TOOLS}/generate.py"])


def test_a_grant_is_made_and_kept_in_one_place() -> None:
    assert calling("Grant") == {f"{TOOLS}/gate.py"}
    assert calling("save_grant") == {f"{TOOLS}/gate.py"}


def test_a_token_is_minted_only_for_an_answer() -> None:
    assert calling("mint") == {f"{TOOLS}/asking.py"}
    assert calling("answer_challenge") == {f"{TOOLS}/{name}.py" for name in ("asking", "answering")}
    assert calling("claim_challenge") == {f"{TOOLS}/asking.py"}


def test_a_proof_is_made_where_a_person_is_checked() -> None:
    assert calling("Proof") == {f"{TOOLS}/enrolment.py"}
    for change in ("save_pin", "save_passkey", "try_pin", "pin_was_right"):
        assert calling(change) == {f"{TOOLS}/enrolment.py"}


def test_what_the_stores_hold_is_changed_through_their_port_alone() -> None:
    """Their tables are named nowhere else, so that nobody writes around the methods above."""
    tables = f"{SERVER}/stores/"
    found = where(
        lambda node: (
            isinstance(node, ast.ImportFrom)
            and (node.module or "").startswith("rulezero_server.stores.")
        )
    )
    assert {path for path in found if not path.startswith(tables)} == set()


def test_only_the_stores_and_the_worker_import_a_database_driver() -> None:
    found = where(lambda node: not DRIVERS.isdisjoint(imports(node)))
    assert outside(("stores", "worker"), found) == {
        f"{SERVER}/shadows/sqlite.py",  # copies the target's file, which it opens to be read
        f"{SERVER}/shadows/sqlitemadeup.py",  # reads the target's schema through that
    }
    assert found, "the stores import sqlalchemy: this test would see it"


def test_only_the_store_runs_migrations_by_alembics_commands() -> None:
    def commands(node: ast.AST) -> bool:
        return isinstance(node, ast.ImportFrom) and (
            node.module == "alembic.command"
            or (node.module == "alembic" and any(a.name == "command" for a in node.names))
        )

    assert where(commands) == {f"{SERVER}/stores/schema.py"}


def test_in_the_worker_only_run_and_rehearsal_take_steps_that_are_not_written_out_as_sql() -> None:
    run, render = f"{SERVER}/worker/run.py", f"{SERVER}/worker/render.py"
    legs, rehearse = f"{SERVER}/worker/legs.py", f"{SERVER}/worker/rehearse.py"
    ahead = f"{SERVER}/worker/parity/ahead.py"
    ways = f"{SERVER}/worker/ways.py"  # it counts steps, and takes none
    assert naming("_upgrade_revs") == naming("_downgrade_revs") == {ways, render}
    assert naming("revision_steps") == {run, legs, ways}
    assert ways not in calling("run_env")
    runs = {path for path in calling("run_env") if "as_sql=False" in ast.unparse(modules()[path])}
    assert runs == {run, legs}
    build = f"{SERVER}/worker/build.py"  # on an empty shadow
    at_shadows = {rehearse, build, ahead}
    assert {p for p in naming("legs") if p.startswith(f"{SERVER}/worker/")} == at_shadows
    calls = [node for node in ast.walk(modules()[render]) if called(node) == "run_env"]
    assert calls
    for call in calls:
        assert isinstance(call, ast.Call)
        given = {keyword.arg: keyword.value for keyword in call.keywords}
        assert ast.unparse(given["as_sql"]) == "True"


def test_only_the_launcher_the_shadows_and_the_demo_start_processes() -> None:
    imported = where(lambda node: not STARTERS.isdisjoint(imports(node)))
    # A shadow is copied by the databases' own programs, onto servers that are started for it.
    assert outside(("worker", "shadows"), imported) == {
        f"{SERVER}/processes.py",
        f"{SERVER}/warm.py",
        f"{SERVER}/approval/browser.py",  # it prints, and stdout is the MCP stream
        f"{SERVER}/parity/history.py",  # git's plumbing, which reads
        f"{SERVER}/cli/demo_project/__init__.py",
    }
    assert outside(("worker",), where(lambda node: called(node) in START_CALLS)) == set()


def test_nothing_outside_the_worker_imports_by_a_name_made_at_run_time() -> None:
    dynamic = {"import_module", "__import__", "exec", "eval", "spec_from_file_location"}
    found = where(lambda node: called(node) in dynamic)
    assert outside(("worker",), found) == set()
