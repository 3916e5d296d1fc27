"""A plan is named by everything in it, and every difference from it is seen."""

import dataclasses
import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rulezero_policies.backup import Backup, PlannedBackup, Restoring
from rulezero_policies.findings import Fact, Finding, Probe, Question
from rulezero_policies.parity.changes import SettingsPlan
from rulezero_policies.picture import TablePicture
from rulezero_policies.plan import (
    DatabaseIdentity,
    FileHash,
    Observed,
    Plan,
    PlannedChange,
    canonical,
    differences,
    digest,
    hashes,
)
from rulezero_policies.rehearsal import Judged
from rulezero_policies.renames import Rename
from rulezero_policies.suppression import Suppressed

FINDING = Finding(
    rule="drop-column",
    severity="CRITICAL",
    subject="users.old",
    evidence="3 values",
    outcome="loses_data",
    fix="keep it",
)
ROWS = Question(probe="rows", table="users")

OTHER: dict[str, Callable[[Plan], Any]] = {
    "kind": lambda _: "downgrade",
    "protected": lambda _: True,
    "database": lambda p: dataclasses.replace(p.database, server_id="8/16384"),
    "from_revisions": lambda _: ("a0",),
    "revisions": lambda _: ("b1", "b2"),
    "files": lambda p: (*p.files, FileHash(path="migrations/x.py", sha256="2" * 64)),
    "changes": lambda _: (PlannedChange(subject="users.old", description="drop"),),
    "findings": lambda _: (FINDING,),
    "facts": lambda _: (Fact(question="rows", count=1, asked=ROWS),),
    "verdict": lambda _: "UNSAFE",
    "risk": lambda _: "CRITICAL",
    "warnings": lambda _: ("WARNING",),
    "phrases": lambda _: ("yes, drop it",),
    "created": lambda p: p.created - timedelta(microseconds=1),
    "expires": lambda p: p.expires + timedelta(microseconds=1),
    "sql": lambda _: None,
    "fingerprint": lambda _: None,
    "pictures": lambda _: (TablePicture(before="t", after=None, columns=(), whole=True),),
    "renames": lambda _: (Rename(kind="column", table="users", old="a", new="b"),),
    "archives": lambda _: ("users.old: 1 values with their keys are copied",),
    "rehearsal": lambda _: Judged(seconds=1.0),
    "continues": lambda _: "plan-1",
    "skip": lambda _: ("CREATE TABLE items (id int)",),
    "statements": lambda _: ("DROP TABLE items",),
    "bind": lambda _: "stock",
    "branch": lambda _: "b2",
    "to_revisions": lambda _: ("b2", "c3"),
    "suppressed": lambda _: (Suppressed(finding=FINDING, reason="why"),),
    "backup": lambda _: PlannedBackup(form="copy", folder="/b"),
    "restoring": lambda p: Restoring(backup=_backup(p)),
    "settings": lambda _: SettingsPlan(environment="production", targets=(), backups="/b"),
}


def _backup(plan: Plan) -> Backup:
    return Backup(
        plan_id="plan-1",
        database=plan.database.label,
        revisions=("r1",),
        fingerprint=None,
        made=plan.created,
        path="/b/x",
        form="copy",
        bytes=1,
        sha256="0",
        tables=(),
        rows=(),
        verified=True,
        checked="",
        command="",
    )


@pytest.mark.proves("D03", "C02")
@pytest.mark.parametrize("name", [f.name for f in dataclasses.fields(Plan)])
def test_the_digest_changes_when_any_field_changes(plan: Plan, name: str) -> None:
    make = OTHER.get(name, lambda p: getattr(p, name) + "x")
    changed = dataclasses.replace(plan, **{name: make(plan)})
    assert changed.digest != plan.digest
    assert changed.plan_id != plan.plan_id


@pytest.mark.parametrize("name", [f.name for f in dataclasses.fields(DatabaseIdentity)])
def test_the_label_tells_every_part_of_the_identity(plan: Plan, name: str) -> None:
    changed = dataclasses.replace(plan.database, **{name: 1 if name == "port" else "other"})
    assert changed.label != plan.database.label


def test_the_label_is_one_readable_line(plan: Plan) -> None:
    assert plan.database.label == "postgresql:localhost:5432/shop (7/16384)"
    file = DatabaseIdentity(dialect="sqlite", host=None, port=None, name="/x.db", server_id=None)
    assert file.label == "sqlite:/x.db (no file yet)"


def test_the_plan_id_begins_the_digest(plan: Plan) -> None:
    assert plan.plan_id == f"plan-{plan.digest[:20]}"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=3), JSON, max_size=4))
def test_canonical_text_does_not_hang_on_the_order_of_keys(value: dict[str, Any]) -> None:
    turned = dict(reversed(value.items()))
    assert canonical(value) == canonical(turned)
    assert json.loads(canonical(value)) == value
    assert canonical(value).isascii()
    assert digest(value) == digest(turned)


def test_a_value_that_is_no_json_has_no_canonical_text() -> None:
    with pytest.raises(TypeError):
        canonical({"x": object()})


def test_hashes_come_in_a_stable_order() -> None:
    made = hashes({"b.py": b"2", "a.py": b"1"})
    assert made == hashes({"a.py": b"1", "b.py": b"2"})
    assert [f.path for f in made] == ["a.py", "b.py"]
    assert made[0].sha256 == hashlib.sha256(b"1").hexdigest()


def _seen(plan: Plan, **changed: Any) -> Observed:
    same = Observed(
        database=plan.database,
        current=plan.from_revisions,
        files=plan.files,
        fingerprint=plan.fingerprint,
        facts=plan.facts,
        policy=plan.policy,
    )
    return dataclasses.replace(same, **changed)


def test_nothing_differs_when_everything_is_as_it_was(plan: Plan) -> None:
    assert differences(plan, _seen(plan)) == ()


@pytest.mark.proves("D03")
def test_every_difference_is_named(plan: Plan) -> None:
    new = FileHash(path="migrations/versions/new.py", sha256="3" * 64)
    edited = FileHash(path="migrations/versions/b2.py", sha256="9" * 64)
    fact = dataclasses.replace(plan.facts[0], count=2)
    seen = _seen(
        plan,
        database=dataclasses.replace(plan.database, name="prod"),
        current=(),
        files=(edited, new),
        fingerprint="0" * 64,
        facts=(fact,),
        policy="other",
    )
    assert differences(plan, seen) == (
        f"the database was {plan.database.label} and is {seen.database.label}",
        "the current revision was a1 and is base",
        "migrations/versions/b2.py changed",
        "migrations/env.py is gone",
        "migrations/versions/new.py is new",
        "the database's schema changed",
        "values in users.old: was 0, is 2",
        "the policy changed",
    )


@pytest.mark.proves("D04")
def test_an_environment_that_is_protected_by_now_is_a_difference(plan: Plan) -> None:
    open_then = dataclasses.replace(plan, protected=False)
    assert differences(open_then, _seen(plan, protected=True)) == ("it is protected now",)
    guarded = dataclasses.replace(plan, protected=True)
    assert differences(guarded, _seen(plan, protected=True)) == ()


def test_a_count_that_was_zero_must_still_be_known_to_be_zero(plan: Plan) -> None:
    assert differences(plan, _seen(plan, facts=())) == ("values in users.old: was 0, is unknown",)


def _fact(probe: Probe, count: int | None, *names: str) -> Fact:
    asked = Question(probe=probe, table="users", column="x")
    return Fact(question=probe, count=count, asked=asked, names=names)


NOBODY, SOME, MORE = (f"t.u ON DELETE CASCADE: {n} rows" for n in ("no", "3", "more than 9"))


@pytest.mark.proves("A07")
@pytest.mark.parametrize(
    ("before", "now", "worse"),
    [
        (_fact("duplicates", 2), _fact("duplicates", 2), False),
        (_fact("duplicates", 2), _fact("duplicates", 1), False),
        (_fact("duplicates", 2), _fact("duplicates", 3), True),
        (_fact("duplicates", 2), _fact("duplicates", None), True),
        (_fact("duplicates", None), _fact("duplicates", 3), False),
        (_fact("rows", 2), _fact("rows", 3), False),
        (_fact("rows", 0), _fact("rows", 1), True),
        (_fact("size", 0), _fact("size", 9), False),
        (_fact("sql_mode", 1, "STRICT"), _fact("sql_mode", 1, "STRICT"), False),
        (_fact("sql_mode", 1, "STRICT"), _fact("sql_mode", 0, ""), True),
        (_fact("incoming", 1, SOME), _fact("incoming", 1, MORE), False),
        (_fact("incoming", 1, NOBODY), _fact("incoming", 1, SOME), True),
        (_fact("triggers", 1, "a"), _fact("triggers", 1, "b"), True),
        (_fact("triggers", 2, "a", "b"), _fact("triggers", 1, "a"), True),
    ],
)
def test_a_fact_that_has_grown_worse_is_a_difference(
    plan: Plan, before: Fact, now: Fact, *, worse: bool
) -> None:
    held = dataclasses.replace(plan, facts=(before,))
    assert bool(differences(held, _seen(held, facts=(now,)))) == worse


def test_a_count_that_was_not_zero_may_change(plan: Plan) -> None:
    counted = dataclasses.replace(plan.facts[0], count=3)
    busy = dataclasses.replace(plan, facts=(counted,))
    assert differences(busy, _seen(busy, facts=(plan.facts[0],))) == ()


@pytest.mark.parametrize(
    ("count", "at_least", "words"),
    [(None, False, "an unknown number"), (3, False, "3"), (100, True, "at least 100")],
)
def test_an_amount_says_what_is_known(count: int | None, at_least: bool, words: str) -> None:
    fact = Fact(question="rows", count=count, at_least=at_least, asked=ROWS)
    assert fact.amount == words


def test_a_plan_ends_at_its_revision_or_at_the_heads_that_it_names(plan: Plan) -> None:
    assert dataclasses.replace(plan, to_revision="b2").ends_at == ("b2",)
    assert dataclasses.replace(plan, to_revision="base").ends_at == ()
    assert dataclasses.replace(plan, to_revisions=("b2", "c3")).ends_at == ("b2", "c3")


def test_one_of_several_databases_is_named_beside_its_identity(plan: Plan) -> None:
    assert plan.place == plan.database.label
    assert (
        dataclasses.replace(plan, bind="stock").place == f"stock of several: {plan.database.label}"
    )
