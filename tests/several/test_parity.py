"""Production of several databases: each is compared, and tried, by itself."""

from pathlib import Path
from typing import Any

import pytest

from rulezero_server.app import App
from rulezero_server.stores import open_store
from rulezero_tools.parity.safety import safety
from rulezero_tools.parity.schema import schema_gap

FIRST = "1a1a1a1a1a1a"


@pytest.mark.proves("B03", "B11")
def test_each_database_of_production_has_its_own_gap_and_its_own_checks(
    tmp_path: Path, flask_several: Any, eyes: Any, empty_store: bytes, postgres_url: str
) -> None:
    stock = f"sqlite:///{(tmp_path / 'stock.sqlite').as_posix()}"
    folder = flask_several(postgres_url, stock)
    (tmp_path / "state.db").write_bytes(empty_store)
    lines = ("[environments.production]", "[environments.staging]")
    urls = {"ORDERS_URL": f"sqlite:///{(tmp_path / 'other.sqlite').as_posix()}", "STOCK_URL": stock}
    env = ", ".join(f"{name} = {url!r}" for name, url in urls.items())
    (folder / "rulezero.toml").write_text(f"{lines[0]}\n{lines[1]}\nenv = {{ {env} }}\n")
    eyes(stock).write("CREATE TABLE items (id INTEGER NOT NULL PRIMARY KEY)")
    eyes(stock).write("CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY)")
    eyes(stock).write(f"INSERT INTO alembic_version VALUES ('{FIRST}')")
    app = App(folder, store=open_store(tmp_path / "state.db"))

    gap = schema_gap(lambda e: app.session(e, client="test"), "production", ["staging"])

    orders, items = gap.databases
    assert (orders.name, orders.dialect, orders.pending) == ("default", "postgresql", (FIRST,))
    assert (items.name, items.dialect, items.pending) == ("stock", "sqlite", ())
    assert [(m.place, m.brought) for m in orders.missing] == [("orders.id", "waiting")]
    assert (items.missing, items.extra, items.drift) == ((), (), ())
    assert [r.partition(";")[0] for r in gap.reasons] == [
        f"production (default): waiting to be applied: {FIRST}",
        "production (default): the table orders is missing",
    ]
    assert [(a.name, bool(a.error)) for a in gap.against] == [("default", False), ("stock", True)]
    assert "the very same database" in gap.against[1].error

    tried = safety(app.session("production", client="test"))

    assert [(one.name, one.reasons, one.unknown) for one in tried] == [
        ("default", (), ()),
        ("stock", (), ()),
    ]
