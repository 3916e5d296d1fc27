"""The rules of the house that no linter keeps."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("server/rulezero_server", "tools/rulezero_tools", "policies/rulezero_policies")
WORKER = ROOT / "server/rulezero_server/worker"

MACHINE_PATHS = re.compile(r"(?<![\w.])/(?:work|root|Users/\w+|home/(?!user\b)\w+)/\w")
TEXT = {".py", ".md", ".toml", ".yaml", ".yml", ".json", ".txt", ".cfg", ".ini", ".mako", ".sh", ""}
NOT_OURS = {".git", ".venv", "node_modules", "dist", "build"}


def sources() -> list[Path]:
    return sorted(file for top in PACKAGES for file in (ROOT / top).rglob("*.py"))


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def repository() -> Iterator[Path]:
    """Every text file that is part of the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode == 0:
        files = [ROOT / name for name in listed.stdout.split("\0") if name]
    else:
        files = [file for file in ROOT.rglob("*") if not NOT_OURS & set(file.parts)]
    yield from (file for file in files if file.is_file() and file.suffix in TEXT)


def test_no_file_is_longer_than_300_lines() -> None:
    lengths = {
        file.relative_to(ROOT).as_posix(): sum(
            1 for line in file.read_text(encoding="utf-8").splitlines() if line.strip()
        )
        for file in sources()
    }
    assert lengths
    assert {name: count for name, count in lengths.items() if count > 300} == {}


def test_no_function_is_longer_than_40_lines() -> None:
    longer = {
        f"{file.relative_to(ROOT).as_posix()}:{node.lineno} {node.name}": _length(node)
        for file in sources()
        for node in functions(ast.parse(file.read_text(encoding="utf-8")))
        if _length(node) > 40
    }
    assert longer == {}


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of code: a docstring and the functions inside are counted for themselves."""
    inside = [n for n in functions(node) if n is not node]
    covered = {line for n in inside for line in range(n.lineno, (n.end_lineno or 0) + 1)}
    first = node.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        covered |= set(range(first.lineno, (first.end_lineno or 0) + 1))
    return len(set(range(node.lineno, (node.end_lineno or 0) + 1)) - covered)


def test_what_is_public_says_what_it_is() -> None:
    silent = {
        f"{file.relative_to(ROOT).as_posix()}:{node.lineno} {node.name}"
        for file in sources()
        for node in _public(ast.parse(file.read_text(encoding="utf-8")))
        if not ast.get_docstring(node)
    }
    assert silent == set()


def _public(
    tree: ast.Module,
) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    for node in tree.body:
        if isinstance(
            node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
        ) and not node.name.startswith("_"):
            yield node


def test_the_worker_is_python_3_9() -> None:
    files = sorted(WORKER.rglob("*.py"))
    assert files
    for file in files:
        ast.parse(file.read_text(encoding="utf-8"), str(file), feature_version=(3, 9))


def test_no_file_names_a_path_of_the_machine_it_was_written_on() -> None:
    found = {
        f"{file.relative_to(ROOT).as_posix()}: {match.group()}"
        for file in repository()
        if file != Path(__file__)
        for match in MACHINE_PATHS.finditer(file.read_text(encoding="utf-8", errors="replace"))
    }
    assert found == set()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("see " + "/work" + "/main", True),
        ("/home" + "/somebody/project", True),
        ("/home" + "/user/project", False),
        ("a/work" + "/b", False),
    ],
)
def test_paths_of_a_machine_are_told_from_other_paths(text: str, *, named: bool) -> None:
    assert bool(MACHINE_PATHS.search(text)) is named


def test_the_import_contracts_hold() -> None:
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    command = [sys.executable, "-c", code, "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.proves("C06")
def test_the_top_level_is_the_cards() -> None:
    folders = {p.name for p in ROOT.iterdir() if p.is_dir()}
    assert {"server", "tools", "policies", "tests"} <= folders
    assert (ROOT / "pyproject.toml").is_file()


@pytest.mark.proves("C05")
def test_it_is_built_on_the_named_libraries() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    named = {re.split(r"[<>=\[]", entry)[0] for entry in project["dependencies"]}
    assert {"mcp", "alembic", "sqlalchemy", "flask-migrate", "pydantic", "anyio"} <= named
