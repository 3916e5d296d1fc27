"""The schema gap as values: what is missing, extra, moved, and what that means."""

from dataclasses import replace

import pytest

from rulezero_policies import checklist
from rulezero_policies.operations import Change, Column, Constraint, Index, Operation
from rulezero_policies.parity import schema_found, schema_told
from rulezero_policies.parity.schema import DatabaseGap, Drift, Extra, History, Missing, SchemaGap
from rulezero_policies.rehearsal import Thing

pytestmark = pytest.mark.proves("B03")

ID = Column(name="id", type="INTEGER", nullable=False, primary_key=True)
BODY = Column(name="body", type="TEXT")
OWNER = Column(name="owner", type="INTEGER", nullable=False)


def thing(kind: str, name: str, table: str = "", definition: str = "", **more: object) -> Thing:
    return Thing(kind=kind, name=name, table=table, definition=definition, **more)  # pyright: ignore[reportArgumentType]


def adds(column: Column, table: str = "notes", schema: str | None = None) -> Operation:
    return Operation(kind="add_column", table=table, schema=schema, column=column)


def drops(column: Column, table: str = "notes") -> Operation:
    return Operation(kind="drop_column", table=table, column=column)


NOTES = (thing("table", "notes", definition="table"), thing("column", "id", "notes", "INTEGER"))
AGAIN = "makes it, too: it fails unless it looks first"
BY_HAND = "no applied revision made it"
TITLE = "VARCHAR(9) DEFAULT '{now}'"
LONG = f"{'T' * 160}…"
WITH_BODY = (*NOTES, thing("column", "Body", "notes", "TEXT"))


@pytest.mark.parametrize(
    ("history", "waiting", "readable", "brought"),
    [
        (History(at=NOTES, head=WITH_BODY), (), True, "waiting"),
        (History(at=WITH_BODY, head=WITH_BODY), (), True, "applied"),
        (History(at=NOTES, head=NOTES), (), True, "none"),
        (History(), (("r2", (adds(BODY),)),), True, "waiting"),
        (History(), (("r2", (drops(BODY),)),), True, "none"),
        (History(), (), False, "unknown"),
        (History(head=NOTES), (), False, "none"),
    ],
)
def test_it_is_known_which_revision_brings_a_missing_column(
    history: History, waiting: schema_found.Steps, readable: bool, brought: str
) -> None:
    (one,) = schema_found.missing([adds(BODY)], waiting, history, readable=readable)
    assert one.brought == brought
    assert one.revision == ("r2" if brought == "waiting" and waiting else None)


@pytest.mark.proves("B06")
@pytest.mark.parametrize(
    ("column", "safe"),
    [
        (BODY, True),
        (OWNER, False),
        (replace(OWNER, python_default=True), False),
        (replace(OWNER, server_default="0"), True),
        (replace(OWNER, generated=True), True),
    ],
)
def test_an_addition_that_old_rows_cannot_get_is_named_with_its_safe_form(
    column: Column, safe: bool
) -> None:
    (one,) = schema_found.missing([adds(column)], (), History(), readable=True)
    assert (one.safe_form == "") is safe


@pytest.mark.proves("B06")
def test_what_counts_is_how_the_revision_adds_it_and_a_new_table_has_no_old_rows() -> None:
    late = (("r2", (adds(replace(OWNER, nullable=True)),)),)
    (one,) = schema_found.missing([adds(OWNER)], late, History(), readable=True)
    assert one.safe_form == ""
    table = Operation(kind="create_table", table="tags", schema="s", columns=(ID, OWNER))
    found = schema_found.missing([table], (), History(), readable=True)
    assert [(m.subject, m.whole, m.safe_form) for m in found] == [
        ("s.tags.id", True, ""),
        ("s.tags.owner", True, ""),
    ]


@pytest.mark.proves("B13")
def test_what_no_model_has_is_named_with_who_made_it_and_is_never_an_operation() -> None:
    index = Operation(kind="drop_index", table="notes", index=Index(name="ix", columns=("id",)))
    check = Operation(
        kind="drop_constraint", table="notes", constraint=Constraint(kind="check", columns=("id",))
    )
    table = Operation(kind="drop_table", table="scratch", schema="s")
    wanted = (drops(BODY), drops(OWNER), drops(ID), index, check, table, adds(BODY, "other"))
    history = History(at=(*WITH_BODY, thing("index", "ix", "notes")), head=NOTES)

    found = schema_found.extras(wanted, history)

    assert [(e.subject, e.made, e.goes, bool(e.harm)) for e in found] == [
        ("column notes.body", "by a revision", True, False),
        ("column notes.owner", "by hand", False, True),
        ("column notes.id", "by a revision", False, False),
        ("index notes.ix", "by a revision", True, False),
        ("constraint notes.(id)", "by hand", False, False),
        ("s.scratch", "by hand", False, False),
    ]
    assert schema_found.without_drops(wanted) == (adds(BODY, "other"),)
    assert {e.made for e in schema_found.extras(wanted, History())} == {"unknown"}


def test_what_is_dropped_to_be_made_anew_is_changed_and_not_extra() -> None:
    old = Operation(kind="drop_index", table="notes", index=Index(name="ix", columns=("id",)))
    new = Operation(kind="create_index", table="notes", index=Index(name="ix", columns=("body",)))
    assert schema_found.extras([old, new], History()) == ()


def test_drift_is_what_the_applied_revisions_make_otherwise() -> None:
    at = (
        *NOTES,
        thing("column", "title", "notes", TITLE),
        thing("index", "ix", "notes", "INDEX (title)"),
        thing("comment", "notes", "notes", "not compared"),
    )
    live = (
        *NOTES,
        thing("column", "title", "notes", "T" * 200),
        thing("table", "scratch"),
        thing("column", "late", "notes"),
        thing("privilege", "ann on notes"),
    )
    head = (*at, thing("column", "late", "notes"))

    found = schema_found.drift(History(at=at, head=head), live)

    assert found is not None
    assert {d.name: d.text for d in found} == {
        "ix": "index ix on notes: the applied revisions make it, and the database has none",
        "scratch": f"table scratch: {BY_HAND}",
        "late": f"column notes.late: {BY_HAND}, and one that waits {AGAIN}",
        "title": f"column notes.title: the applied revisions make {TITLE}, the database has {LONG}",
    }
    assert schema_found.drift(History(), live) is None
    assert schema_found.drift(History(at=at), None) is None


def test_columns_at_other_places_are_no_drift() -> None:
    one, other = (
        tuple(thing("column", n, "t", position=p) for p, n in enumerate(order))
        for order in (("a", "b"), ("b", "a"))
    )
    assert schema_found.drift(History(at=one), other) == ()


def test_two_kinds_of_databases_are_compared_by_name_alone() -> None:
    other = (*WITH_BODY, thing("index", "ix", "notes"), thing("table", "x", schema="s"))
    found = schema_found.unlike(other, NOTES, "staging", by_name=True)
    assert [d.text for d in found] == ["column notes.body: staging has it, production has not"]
    found = schema_found.unlike(WITH_BODY, NOTES, "staging", by_name=False)
    assert [d.text for d in found] == ["column notes.Body: staging has it, production has not"]


def reasons(gap: DatabaseGap) -> list[str]:
    return [r.removeprefix("production: ") for r in schema_told.reasons("production", gap)]


def test_each_thing_that_is_missing_is_one_reason_with_what_brings_it() -> None:
    column = Missing(table="notes", column="body", type="TEXT", brought="none")
    table = Missing(table="tags", schema="s", column="id", type="INTEGER", whole=True)
    gap = DatabaseGap(
        pending=("r2",),
        stray=("lost",),
        missing=(
            replace(table, revision="r2", brought="waiting"),
            replace(table, column="name", revision="r2", brought="waiting"),
            column,
            replace(column, column="owner", safe_form="do so", brought="unknown"),
        ),
        operations=(
            Operation(kind="create_table", table="tags", schema="s"),
            Operation(kind="create_index", table="tags", schema="s", index=Index(name="i")),
            Operation(kind="create_index", table="notes", index=Index(name="j", columns=("body",))),
        ),
        drift=(
            Drift(what="missing", kind="column", name="body", table="notes", text="once more"),
            Drift(what="missing", kind="table", name="tags", schema="s", text="once more"),
        ),
    )
    unknown = "whether a revision brings it could not be told"
    assert reasons(gap) == [
        "the database stands at revision lost, which no file of the project has",
        "waiting to be applied: r2",
        "the table s.tags is missing; revision r2, which waits, brings it",
        "the column notes.body is missing; no revision brings it: a new one is needed",
        f"the column notes.owner is missing; {unknown}; to be safe, do so",
    ]
    plain = DatabaseGap(missing=(replace(table, schema=None),))
    assert reasons(plain)[0].startswith("the table tags is missing; whether")


def test_what_the_models_have_otherwise_is_a_reason() -> None:
    retyped = Operation(
        kind="alter_column",
        table="notes",
        column=BODY,
        changes=(Change(attribute="server_default", before=None, after="'x'"),),
    )
    unique = Constraint(kind="unique", columns=("id",))
    gap = DatabaseGap(
        operations=(
            retyped,
            Operation(kind="create_constraint", table="notes", constraint=unique),
            Operation(kind="create_index", table="notes", index=Index(name="ix", columns=("a",))),
            Operation(kind="table_comment", table="notes"),
        ),
        extra=(Extra(kind="column", subject="column notes.x", table="notes", harm="it refuses"),),
        unseen=("CHECK constraint notes.c: it is not in the database",),
        drift=(
            Drift(what="changed", kind="index", name="ix", text="moved"),
            Drift(what="added", kind="index", name="iy", text="named alone"),
            Drift(what="added", kind="index", name="iz", text="it fails", in_the_way=True),
        ),
    )
    assert reasons(gap) == [
        "the column notes.body differs: server default none is not 'x', as the models have it",
        "the unique (id) on notes is missing, as the models have it",
        "the index ix on notes is missing, as the models have it",
        "table comment on notes is not done, as the models have it",
        "column notes.x: it refuses",
        "CHECK constraint notes.c: it is not in the database",
        "moved",
        "it fails",
    ]


def test_what_models_and_revisions_both_have_otherwise_is_one_reason() -> None:
    assert reasons(DatabaseGap(operations=(INDEX,), drift=(GONE,))) == [
        "the index i on t is missing, as the models have it"
    ]


def test_a_database_that_could_not_be_compared_is_a_reason_by_its_name() -> None:
    gap = DatabaseGap(name="users", error="no route")
    assert list(schema_told.reasons("production", gap)) == [
        "the database of production (users) could not be compared: no route"
    ]
    waits = DatabaseGap(name="users", pending=("r",), absent=True)
    assert list(schema_told.reasons("p", waits)) == [
        "p (users): there is no file of the database yet: see that its address is right",
        "p (users): waiting to be applied: r",
    ]


@pytest.mark.proves("B06")
def test_what_is_more_than_an_addition_is_told_apart() -> None:
    steps = (adds(BODY), INDEX)
    changes = tuple(checklist.describe(step) for step in steps)
    assert DatabaseGap(operations=steps, changes=changes).structural == changes[1:]


def test_what_is_no_reason_to_fail_is_noted_once() -> None:
    gap = DatabaseGap(
        extra=(
            Extra(kind="column", subject="column notes.x", table="notes", name="x", goes=True),
            Extra(kind="table", subject="scratch", table="scratch"),
        ),
        drift=(
            Drift(what="added", kind="column", name="x", table="notes", text="known"),
            Drift(what="added", kind="table", name="scratch", text="known"),
            Drift(what="added", kind="view", name="v", text="view v: by hand"),
            Drift(what="changed", kind="view", name="w", text="a reason"),
        ),
    )
    told = list(schema_told.notes("production", gap))
    assert told[0].startswith("production: column notes.x is in no model, and a revision")
    assert told[1:] == ["production: view v: by hand"]
    assert list(schema_told.notes("p", DatabaseGap(name="users"))) == []
    named = replace(gap, name="users", extra=())
    assert next(schema_told.notes("p", named)).startswith("p (users): ")


INDEX = Operation(kind="create_index", table="t", index=Index(name="i", columns=("c",)))
GONE = Drift(what="missing", kind="index", name="i", table="t", text="it is gone")
LACK = Missing(table="t", column="c", type="TEXT", brought="none")


@pytest.mark.proves("B06")
@pytest.mark.parametrize(
    ("gap", "starts"),
    [
        (DatabaseGap(), ""),
        (DatabaseGap(error="no"), "Mend what the error about 'p'"),
        (DatabaseGap(stray=("x",), missing=(LACK,)), "Find the files"),
        (DatabaseGap(missing=(LACK,), pending=("r",)), "Write what no revision brings"),
        (DatabaseGap(unseen=("a CHECK",)), "Write what no revision brings"),
        (DatabaseGap(operations=(INDEX,)), "Write what no revision brings"),
        (DatabaseGap(operations=(INDEX,), pending=("r",)), "Call `review`"),
        (DatabaseGap(operations=(INDEX,), drift=(GONE,)), "Show the person what moved"),
        (DatabaseGap(missing=(replace(LACK, brought="applied"),)), "Show the person what moved"),
        (DatabaseGap(missing=(replace(LACK, brought="unknown"),)), "Show the person what is"),
        (
            DatabaseGap(extra=(Extra(kind="column", subject="", table="t", harm="bad"),)),
            "Show the person what moved",
        ),
    ],
)
def test_the_next_step_is_the_first_thing_that_is_in_the_way(gap: DatabaseGap, starts: str) -> None:
    told = schema_told.next_step("p", [DatabaseGap(), gap])
    assert told.startswith(starts)
    assert bool(told) is bool(starts)


def test_a_gap_of_several_databases_is_read_as_one() -> None:
    extra = Extra(kind="table", subject="x", table="x")
    moved = Drift(what="added", kind="table", name="x", text="")
    one = DatabaseGap(missing=(LACK,), extra=(extra,), drift=(moved,))
    gap = SchemaGap(production="p", databases=(one, DatabaseGap()))
    assert (gap.missing, gap.extra, gap.drift) == ((LACK,), (extra,), (moved,))
    assert LACK.subject == "t.c"
