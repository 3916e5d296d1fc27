"""The picture of a table."""

from xml.etree import ElementTree

from rulezero_policies.picture import ColumnPicture, TablePicture
from rulezero_server.approval.picture import drawing


def same(number: int) -> tuple[ColumnPicture, ...]:
    return tuple(ColumnPicture(before=f"c{n} TEXT", after=f"c{n} TEXT") for n in range(number))


def texts(svg: str) -> list[str]:
    return [e.text or "" for e in ElementTree.fromstring(svg).iter("text")]


def table(
    *columns: ColumnPicture, before: str | None = "t", after: str | None = "t"
) -> TablePicture:
    return TablePicture(before=before, after=after, columns=columns, whole=True)


def test_both_sides_keep_a_column_in_the_same_row() -> None:
    drawn = drawing(
        table(
            ColumnPicture(before="a TEXT", after=None),
            ColumnPicture(before="b TEXT", after="b VARCHAR(5)"),
            ColumnPicture(before=None, after="c TEXT"),
        )
    )
    assert drawn.caption == "t: 1 column added, 1 column dropped, 1 column changed"
    assert texts(drawn.before) == ["t", "\N{MINUS SIGN}", "a TEXT", "~", "b TEXT"]
    assert texts(drawn.after) == ["t", "~", "b VARCHAR(5)", "+", "c TEXT"]
    rows = {e.text: e.get("y") for e in ElementTree.fromstring(drawn.after).iter("text")}
    assert rows["b VARCHAR(5)"] == "70"
    assert [e.get("y") for e in ElementTree.fromstring(drawn.before).iter("text")][-1] == "70"


def test_a_wide_table_shows_what_changes_and_counts_the_rest() -> None:
    added = ColumnPicture(before=None, after="new TEXT")
    drawn = drawing(table(*same(40), added))
    assert texts(drawn.after) == ["t", "+", "new TEXT", "… and 40 that stay"]
    many = tuple(ColumnPicture(before=f"c{n}", after=None) for n in range(50))
    assert texts(drawing(table(*many)).before)[-1] == "… and 10 more that change"


def test_a_table_that_comes_or_goes_has_one_empty_side() -> None:
    made = drawing(table(ColumnPicture(before=None, after="a TEXT"), before=None))
    assert (made.caption, texts(made.before)) == ("t is created", ["(not there yet)"])
    gone = drawing(table(ColumnPicture(before="a TEXT", after=None), after=None))
    assert (gone.caption, texts(gone.after)) == ("t is dropped", ["(no longer there)"])
    many = drawing(
        table(*(ColumnPicture(before=f"c{n}", after=None) for n in range(50)), after=None)
    )
    assert texts(many.after) == ["(no longer there)"]


def test_a_rename_and_a_table_that_is_not_wholly_known_are_said() -> None:
    picture = TablePicture(before="t", after="u", columns=same(1), whole=False)
    assert drawing(picture).caption == "t becomes u (only the columns that the plan names)"


def test_names_are_text_and_nothing_in_them_is_hidden() -> None:
    nasty = '"><script>\u202e' + "x" * 300
    drawn = drawing(table(ColumnPicture(before=nasty, after=nasty), before=nasty, after=nasty))
    assert "<script>" not in drawn.before
    assert "\u202e" not in drawn.before
    assert max(len(text) for text in texts(drawn.before)) == 40
