"""A hazardous change in phases, from the analysis to the last one, through the gate."""

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = [pytest.mark.anyio, pytest.mark.proves("A15")]

AMOUNT = 'sa.Column("id", sa.Integer, primary_key=True), sa.Column("amount", {})'
BEFORE = "CREATE TABLE orders (id INTEGER NOT NULL PRIMARY KEY, amount VARCHAR(20))"
ROWS = "INSERT INTO orders VALUES (1, '1.50'), (2, '20'), (3, NULL)"


async def written(host: Any, message: str) -> dict[str, Any]:
    analysis = await host.call("analyze")
    call = {"analysis_id": analysis["analysis_id"], "message": message, "strategy": "safer"}
    made = await host.call("generate", **call)
    if made["status"] == "needs_confirmation":
        given = await host.call("confirm", plan_id=made["plan_id"])
        made = await host.call("generate", token=given["token"], **call)
    return made


async def phase(host: Any) -> dict[str, Any]:
    """Review what waits, see that it is sound, and apply it."""
    review = await host.call("review")

    failed = [f for f in review["findings"] if f["outcome"] in {"will_fail", "may_fail", "blocks"}]
    assert not failed
    moved = {d for d in review["rehearsal"]["differences"] if "rd, was" not in d}
    assert not moved, review["rehearsal"]
    done = await host.applied(review["plan_id"])
    assert (done["status"], done["verified"]) == ("applied", True), done
    return review


async def test_a_type_is_changed_in_four_phases(
    shop: Any, near: Callable[..., Any], yes: Any
) -> None:
    shop.database(BEFORE, ROWS)
    shop.models(AMOUNT.format("sa.Numeric(10, 2)"))
    async with near(shop.folder, answer=yes) as host:
        made = await written(host, "amount is a number")
        assert len(made["also"]) == 3
        await phase(host)
        shop.run("INSERT INTO orders (id, amount) VALUES (4, '4.25')")
        assert shop.rows("SELECT amount_new FROM orders WHERE id IN (1, 4) ORDER BY id")[0] == (
            None,
        )
        await phase(host)
        await phase(host)
        found = shop.rows("SELECT amount FROM orders ORDER BY id")
        assert [v if v is None else float(v) for (v,) in found] == [1.5, 20, None, 4.25]
        shop.run("UPDATE orders SET amount = 7 WHERE id = 3")
        assert float(shop.rows("SELECT amount_old FROM orders WHERE id = 3")[0][0]) == 7
        await phase(host)
    assert len(shop.rows("SELECT * FROM orders")[0]) == 2


STATE = 'sa.Column("id", sa.Integer, primary_key=True), sa.Column("state", sa.String(10), {})'
STATES = "CREATE TABLE orders (id INTEGER NOT NULL PRIMARY KEY, state VARCHAR(10) DEFAULT 'new')"


async def test_not_null_is_set_once_no_null_is_left(
    shop: Any, near: Callable[..., Any], yes: Any
) -> None:
    shop.database(STATES, "INSERT INTO orders VALUES (1, NULL), (2, 'sent'), (3, NULL)")
    shop.models(STATE.format("nullable=False, server_default='new'"))
    async with near(shop.folder, answer=yes) as host:
        made = await written(host, "state is needed")
        assert len(made["also"]) == 1
        await phase(host)
        shop.run("INSERT INTO orders VALUES (4, NULL)")
        said = await host.refused("review")
        assert "1 rows of orders that break" in said
        shop.run("UPDATE orders SET state = 'new' WHERE id = 4")
        await phase(host)
    assert [s for (s,) in shop.rows("SELECT state FROM orders ORDER BY id")] == [
        "new",
        "sent",
        "new",
        "new",
    ]
    with pytest.raises(Exception, match=r"(?i)null|default"):
        shop.run("INSERT INTO orders VALUES (5, NULL)")


async def test_a_column_is_dropped_only_once_a_person_attests_that_no_code_uses_it(
    shop: Any, near: Callable[..., Any], yes: Any
) -> None:
    table = "CREATE TABLE orders (id INTEGER NOT NULL PRIMARY KEY, note VARCHAR(10) NOT NULL)"
    shop.database(table, "INSERT INTO orders VALUES (1, 'a')")
    shop.models('sa.Column("id", sa.Integer, primary_key=True)')
    async with near(shop.folder, answer=yes) as host:
        made = await written(host, "no notes")
        assert len(made["also"]) == 1
        await phase(host)
        shop.run("INSERT INTO orders (id) VALUES (2)")
        review = await phase(host)
        assert "neither reads nor writes orders.note" in " ".join(review["warnings"])
    assert shop.rows("SELECT * FROM orders ORDER BY id") == [(1,), (2,)]


async def test_a_new_column_takes_null_until_every_row_has_a_value(
    shop: Any, near: Callable[..., Any], yes: Any
) -> None:
    shop.database("CREATE TABLE orders (id INTEGER NOT NULL PRIMARY KEY)")
    shop.run("INSERT INTO orders VALUES (1), (2)")
    shop.models(STATE.format("nullable=False"))
    async with near(shop.folder, answer=yes) as host:
        await written(host, "orders have a state")
        await phase(host)
        assert "2 rows of orders that break" in await host.refused("review")
        shop.run("UPDATE orders SET state = 'new'")
        await phase(host)
    with pytest.raises(Exception, match=r"(?i)null|default"):
        shop.run("INSERT INTO orders (id) VALUES (5)")


async def test_a_column_is_renamed_while_code_of_both_names_runs(
    shop: Any, near: Callable[..., Any], yes: Any
) -> None:
    # SQLite gives a column a default only by copying the table.
    sqlite = shop.engine.dialect.name == "sqlite"
    default, said = ("", "") if sqlite else (" DEFAULT 'new'", ", server_default='new'")
    column = "id INTEGER NOT NULL PRIMARY KEY, status VARCHAR(10)"
    shop.database(f"CREATE TABLE orders ({column}{default})")
    shop.run("INSERT INTO orders VALUES (1, 'sent'), (2, NULL)")
    shop.models(STATE.format("nullable=True" + said))
    async with near(shop.folder, answer=yes) as host:
        made = await written(host, "status is state")
        assert len(made["also"]) == 2, made
        await phase(host)
        shop.run("INSERT INTO orders (id, status) VALUES (3, 'new')")
        shop.run("INSERT INTO orders (id, state) VALUES (4, 'new')")
        shop.run("UPDATE orders SET state = 'paid' WHERE id = 4")
        shop.run("UPDATE orders SET status = 'lost' WHERE id = 3")
        shop.run("INSERT INTO orders (id) VALUES (5)")
        shop.run("INSERT INTO orders (id, state) VALUES (6, NULL)")
        shop.run("INSERT INTO orders (id, status) VALUES (8, 'NEW')")
        given = None if sqlite else "new"
        assert shop.rows("SELECT status, state FROM orders WHERE id > 2 ORDER BY id") == [
            ("lost", "lost"),
            ("paid", "paid"),
            (given, given),
            (None, None),
            ("NEW", "NEW"),
        ]
        await phase(host)
        await phase(host)
    found = [s for (s,) in shop.rows("SELECT state FROM orders ORDER BY id")]
    assert found == ["sent", None, "lost", "paid", given, None, "NEW"]
    shop.run("INSERT INTO orders (id) VALUES (7)")
    assert shop.rows("SELECT state FROM orders WHERE id = 7") == [(given,)]
