"""What the journal of a run left open, settled by what the database says."""

from dataclasses import replace
from typing import Any

import pytest

from rulezero_tools.landing import ReadBack, settled
from rulezero_tools.ports import Session
from rulezero_tools.records import Landed, Sent

pytestmark = pytest.mark.proves("D08")


def sent(text: str, landed: Landed, **more: Any) -> Sent:
    return Sent(text=text, landed=landed, revision="r2", alone=True, **more)


CREATE = sent("CREATE TABLE items (id INTEGER)", "in doubt")
NOTED = sent("CREATE INDEX i ON items (id)", "in doubt", schema="noted")
READ = sent("SELECT 1", "committed", reads=True)
KEPT = sent("INSERT INTO items VALUES (1)", "committed")


@pytest.mark.parametrize(
    ("earlier", "one", "now", "landed"),
    [
        ((), NOTED, "noted", "rolled back"),
        ((), NOTED, "another", "committed"),
        ((), CREATE, "approved", "rolled back"),
        ((READ,), CREATE, "approved", "rolled back"),
        ((READ,), CREATE, "another", "committed"),
        ((KEPT,), CREATE, "approved", "in doubt"),
        ((), CREATE, None, "in doubt"),
        ((), sent("UPDATE items SET id = 2", "in doubt"), "approved", "in doubt"),
    ],
)
def test_a_statement_that_was_cut_off_is_told_by_the_schema_before_it(
    session: Session,
    pending: Any,
    earlier: tuple[Sent, ...],
    one: Sent,
    now: str | None,
    landed: Landed,
) -> None:
    made = session.store.plan(pending(session))
    assert made
    plan = replace(made, fingerprint="approved")
    seen = ReadBack(current=plan.from_revisions, fingerprint=now)
    assert settled(plan, (*earlier, one), seen)[-1].landed == landed
