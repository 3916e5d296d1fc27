"""A project of several databases: each is planned, approved, applied and rolled back by itself."""

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.anyio

FIRST = "1a1a1a1a1a1a"


@pytest.fixture(params=["alembic on two files", "flask on a file and a server"])
def shop(request: pytest.FixtureRequest, tmp_path: Path, eyes: Any) -> tuple[Path, Any, Any, str]:
    """The project, eyes on its databases `orders` and `stock`, and the name of the first one."""
    orders = f"sqlite:///{(tmp_path / 'orders.sqlite').as_posix()}"
    stock = f"sqlite:///{(tmp_path / 'stock.sqlite').as_posix()}"
    if request.param.startswith("alembic"):
        folder = request.getfixturevalue("alembic_several")(orders, stock)
        return folder, eyes(orders), eyes(stock), "orders"
    orders = request.getfixturevalue("postgres_url")
    folder = request.getfixturevalue("flask_several")(orders, stock)
    return folder, eyes(orders), eyes(stock), "default"


@pytest.mark.proves("A16", "A20")
async def test_each_database_goes_the_whole_way_and_back_while_the_other_stays(
    shop: Any, near: Any
) -> None:
    folder, orders, stock, first = shop
    async with near(folder) as host:
        status = await host.call("status")
        assert [d["name"] for d in status["databases"]] == [first, "stock"]
        assert [d["lacks"] for d in status["databases"]] == [[FIRST], [FIRST]]
        said = await host.refused("review")
        assert "ChooseDatabase" in said
        assert f"{first}, stock" in said
        review = await host.call("review", database="stock")
        assert review["rehearsal"]["reupgrade"] == "ok", review["rehearsal"]
        assert [c["subject"] for c in review["changes"]] == ["items"]
        assert "orders" not in review["sql"]
        assert "**Database:** stock" in review["approval_request"]
        done = await host.applied(review["plan_id"])
        assert done["verified"], done
        assert stock.revision() == FIRST
        assert "alembic_version" not in orders.tables()
        review = await host.call("review", database=first)
        assert review["rehearsal"]["reupgrade"] == "ok", review["rehearsal"]
        assert (await host.applied(review["plan_id"]))["verified"]
        assert orders.revision() == FIRST
        assert {*orders.tables()} == {"alembic_version", "orders"}
        plan = await host.call("rollback", database="stock")
        assert (await host.applied(plan["plan_id"]))["verified"]
        assert (stock.tables(), stock.rows("SELECT * FROM alembic_version")) == (
            ["alembic_version"],
            [],
        )
        assert orders.revision() == FIRST


@pytest.mark.proves("A08", "C01")
async def test_one_revision_is_generated_for_all_databases_and_applied_to_each(
    flask_several: Any, talk: Any, eyes: Any, tmp_path: Path
) -> None:
    urls = [f"sqlite:///{(tmp_path / name).as_posix()}" for name in ("orders.db", "stock.db")]
    folder = flask_several(*urls)
    orders, stock = (eyes(url) for url in urls)
    async with talk(folder) as host:
        for name in ("default", "stock"):
            await host.applied((await host.call("review", database=name))["plan_id"])
        app = folder / "app.py"
        key = "id = db.Column(db.Integer, primary_key=True)"
        more = f"{key}\n    note = db.Column(db.Text)"
        app.write_text(app.read_text("utf-8").replace(key, more), encoding="utf-8")
        analysis = await host.call("analyze")
        subjects = [c["subject"] for c in analysis["changes"]]
        assert subjects == ["default: orders.note", "stock: items.note"]
        made = await host.generated("add notes", analysis)
        text = (folder / made["path"]).read_text("utf-8")
        assert text.count("sa.Column('note', sa.Text(), nullable=True)") == 2
        status = await host.call("status")
        assert [d["lacks"] for d in status["databases"]] == [[made["revision"]]] * 2
        assert "'default', 'stock'" in status["next_step"]
        await host.applied((await host.call("review", database="stock"))["plan_id"])
        assert ("note" in orders.columns("orders"), "note" in stock.columns("items")) == (
            False,
            True,
        )
        behind = await host.refused("analyze", database="default")
        assert "DatabaseNotAtHead" in behind


@pytest.mark.proves("C03")
async def test_what_a_run_would_write_to_another_database_is_refused(
    alembic_several: Any, near: Any, eyes: Any, tmp_path: Path
) -> None:
    urls = [f"sqlite:///{(tmp_path / name).as_posix()}" for name in ("orders.db", "stock.db")]
    folder = alembic_several(*urls)
    orders = eyes(urls[0])
    orders.write("CREATE TABLE kept (id INTEGER PRIMARY KEY)")
    file = folder / "migrations" / "versions" / f"{FIRST}_first.py"
    step = "def upgrade_stock():\n"
    drop = (
        f"    with sa.create_engine({urls[0]!r}).begin() as other:\n"
        "        other.execute(sa.text('PRAGMA query_only = OFF'))\n"
        "        other.execute(sa.text('DROP TABLE kept'))\n"
    )
    file.write_text(file.read_text("utf-8").replace(step, step + drop), encoding="utf-8")
    async with near(folder) as host:
        review = await host.call("review", database="stock")
        assert review["verdict"] != "SAFE"
        done = await host.applied(review["plan_id"])
    assert done["status"] == "failed", done
    assert orders.tables() == ["kept"]


@pytest.mark.proves("D02", "C03")
@pytest.mark.parametrize(
    ("server", "lift"),
    [
        ("postgres_url", "SET TRANSACTION READ WRITE"),
        ("mariadb_url", "SET SESSION TRANSACTION READ WRITE"),
    ],
)
async def test_a_rehearsal_can_only_read_another_database_on_a_server(
    server: str, lift: str, flask_several: Any, near: Any, eyes: Any, tmp_path: Path, request: Any
) -> None:
    url = request.getfixturevalue(server)
    folder = flask_several(url, f"sqlite:///{(tmp_path / 'stock.db').as_posix()}")
    file = folder / "migrations" / "versions" / f"{FIRST}_first.py"
    step = "def upgrade_stock():\n"
    made = (
        f"    raw = sa.create_engine({url!r}).raw_connection()\n"
        "    raw.cursor().execute('SELECT 1')\n"
        f"    raw.cursor().execute({lift!r})\n"
        "    raw.cursor().execute('CREATE TABLE mine (id INTEGER)')\n"
        "    raw.commit()\n"
    )
    file.write_text(file.read_text("utf-8").replace(step, step + made), encoding="utf-8")
    async with near(folder) as host:
        review = await host.call("review", database="stock")
    assert review["rehearsal"]["upgrade"] == "failed", review["rehearsal"]
    assert "asks for a session that may write" in review["rehearsal"]["error"]
    assert eyes(url).tables() == []
