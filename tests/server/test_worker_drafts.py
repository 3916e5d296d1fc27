"""A draft is read like the file that it would be, and is written nowhere."""

from collections.abc import Callable
from pathlib import Path

import pytest

from rulezero_server.project import WorkerProject

REVISION = "2b8e41f6a05c"

pytestmark = pytest.mark.proves("A14")


def test_a_draft_is_read_in_place_of_its_file_and_written_nowhere(
    copy_project: Callable[[str], Path],
    to_head: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = copy_project("flask_notes")
    to_head(folder)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{folder / 'notes.db'}")
    models = folder / "notes" / "models.py"
    wanted = (
        "    rank = db.Column(db.Integer, default=3)\n"
        "    open = db.Column(db.Boolean, default=True)\n"
        "    kind = db.Column(db.String(9), default='it''s')\n"
        "    made = db.Column(db.String(9), default=lambda: 'x')\n"
        "    done ="
    )
    models.write_text(models.read_text("utf-8").replace("    done =", wanted, 1), "utf-8")
    project = WorkerProject.open(folder)
    before = {p: p.read_bytes() for p in folder.rglob("*.py")}
    with project.reading():
        (path,) = (r.path for r in project.describe().revisions if r.id == REVISION)
        text = (folder / path).read_text("utf-8")
        added = "def upgrade():\n    op.drop_table('users')  # rulezero: ignore[drop-table] no\n"
        (seen,) = project.trace(
            [REVISION], drafts={REVISION: text.replace("def upgrade():\n", added)}
        )
        (broken,) = project.trace([REVISION], drafts={REVISION: "import nothing_of_the_kind\n"})
        (again,) = project.trace([REVISION])
        defaults = {d.column: d.source for d in project.defaults() if d.table == "tasks"}
    assert (seen.upgrade[0].kind, seen.upgrade[0].table) == ("drop_table", "users")
    assert [i.rule for i in seen.tree.ignores] == ["drop-table"]
    assert "nothing_of_the_kind" in (broken.upgrade[0].detail or "")
    assert "drop_table" not in {o.kind for o in again.upgrade}
    assert {
        "rank": "sa.text('3')",
        "open": "sa.true()",
        "kind": "'its'",
    }.items() <= defaults.items()
    assert "made" not in defaults
    assert {p: p.read_bytes() for p in folder.rglob("*.py")} == before
