"""What the syntax tree of a revision tells."""

from pathlib import Path

import pytest
from pydantic import TypeAdapter

from rulezero_server.worker.tree import tree
from rulezero_tools.records import Tree


def read(root: Path, text: str) -> Tree:
    versions = root / "migrations" / "versions"
    versions.mkdir(parents=True)
    (root / "migrations" / "env.py").touch()
    file = versions / "a1.py"
    file.write_text(text, encoding="utf-8")
    return TypeAdapter(Tree).validate_python(tree(str(file), str(root)))


@pytest.mark.parametrize(
    "body",
    ["pass", '"""Nothing to do."""', "...", "return", "return None", "pass\n    return"],
)
def test_a_downgrade_that_does_nothing_is_empty(tmp_path: Path, body: str) -> None:
    found = read(tmp_path, f"def upgrade():\n    pass\n\n\ndef downgrade():\n    {body}\n")
    assert found.downgrade_is_empty
    assert (found.has_downgrade, found.downgrade_line) == (True, 5)


@pytest.mark.parametrize("body", ["op.drop_table('a')", "raise NotImplementedError", "x = 1"])
def test_a_downgrade_that_does_something_is_not_empty(tmp_path: Path, body: str) -> None:
    found = read(tmp_path, f"def downgrade():\n    {body}\n")
    assert not found.downgrade_is_empty
    assert not found.has_upgrade


def test_a_missing_downgrade_is_missing_and_has_no_line(tmp_path: Path) -> None:
    found = read(tmp_path, "def upgrade():\n    pass\n")
    assert (found.has_upgrade, found.has_downgrade, found.downgrade_line) == (True, False, None)
    assert not found.downgrade_is_empty


def test_a_downgrade_by_assignment_or_import_is_there(tmp_path: Path) -> None:
    found = read(tmp_path, "from helpers import upgrade\n\ndowngrade = upgrade\n")
    assert (found.has_upgrade, found.has_downgrade, found.downgrade_line) == (True, True, 3)


def test_imports_of_the_projects_own_code_are_told_with_their_lines(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "models.py").touch()
    (tmp_path / "src" / "billing").mkdir(parents=True)
    text = (
        "import json\n"
        "import sqlalchemy as sa\n"
        "from alembic import op\n"
        "from shop.models import User\n"
        "\n"
        "def upgrade():\n"
        "    import billing.tasks\n"
    )
    assert read(tmp_path, text).app_imports == (("shop.models", 4), ("billing.tasks", 7))


def test_helpers_beside_the_migrations_and_packages_are_no_app_imports(tmp_path: Path) -> None:
    (tmp_path / "venv" / "lib" / "site-packages" / "geo").mkdir(parents=True)
    text = "from migrations.helpers import x\nimport geo\nimport nothing_of_that_name\n"
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "helpers.py").touch()
    versions = tmp_path / "migrations" / "versions"
    versions.mkdir()
    (tmp_path / "migrations" / "env.py").touch()
    (versions / "a1.py").write_text(text, encoding="utf-8")
    assert tree(str(versions / "a1.py"), str(tmp_path))["app_imports"] == []


def test_of_several_databases_the_downgrade_of_the_one_that_is_read_counts(tmp_path: Path) -> None:
    text = "def downgrade(name):\n    go(name)\n\n\ndef downgrade_stock():\n    pass\n"
    read(tmp_path, text)
    file = tmp_path / "migrations" / "versions" / "a1.py"
    found = [tree(str(file), str(tmp_path), name) for name in ("stock", "orders", None)]
    assert [one["downgrade_is_empty"] for one in found] == [True, False, False]
