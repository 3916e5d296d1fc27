"""Ten thousand open questions, to have an answer land on another one"""

import sqlite3
from typing import Any

import pytest

from rulezero_policies.errors import AnswerRefused
from rulezero_tools import asking

pytestmark = [
    pytest.mark.attack(stopped_by="a question is found by its own plan and asker", level="client"),
    pytest.mark.proves("C03", "D11"),
]


def test_an_answer_lands_on_its_own_question(
    world: Any, untouched: Any, yes: Any, drop: Any, state: Any
) -> None:
    session = world.session()
    dropping = world.pending(drop)
    plan, challenge = asking.open_question(session, dropping, form=True)
    with sqlite3.connect(state) as store:
        store.execute("CREATE TEMP TABLE one AS SELECT * FROM rulezero_challenges")
        count = "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)"
        columns = [row[1] for row in store.execute("PRAGMA table_info(rulezero_challenges)")]
        taken = {"number": "i", "nonce": "nonce || i", "plan_digest": "plan_digest || i"}
        values = ", ".join(taken.get(c, f'"{c}"') for c in columns)
        store.execute(f"INSERT INTO rulezero_challenges {count} SELECT {values} FROM n, one")
    again = asking.open_question(session, dropping, form=True)
    assert again == (plan, challenge)
    with untouched(world.database), pytest.raises(AnswerRefused, match="typed words"):
        asking.answer_form(session, plan, challenge, yes)
    with sqlite3.connect(state) as store:
        query = "SELECT count(*) FROM rulezero_challenges WHERE answer IS NOT NULL"
        assert store.execute(query).fetchone() == (1,)
