"""Which step a comment is about."""

import ast

import pytest

from rulezero_server.worker.comments import ignores

WHERE = """\
def upgrade():
    # rulezero: ignore[drop-index] unused
    op.drop_index(
        "ix",
        table_name="t",
    )
    op.drop_index("iy")  # rulezero: ignore[drop-index, fk-drop]: two at once
    # rulezero: ignore[a] one
    # rulezero: ignore[b]
    op.drop_index(
        "iz",  # rulezero: ignore[c] inside
    )
    x = "# rulezero: ignore[d] no comment"
    # rulezero: ignore[e] nothing follows
"""


def test_a_comment_is_about_its_step_or_the_one_below() -> None:
    found = [(i["rule"], i["reason"], i["first"], i["last"]) for i in told(WHERE)]
    assert found == [
        ("drop-index", "unused", 3, 6),
        ("drop-index", "two at once", 7, 7),
        ("fk-drop", "two at once", 7, 7),
        ("a", "one", 10, 12),
        ("b", "", 10, 12),
        ("c", "inside", 10, 12),
        ("e", "nothing follows", 14, 14),
    ]


@pytest.mark.parametrize(
    "text", ["# rulezero: ignore", "# rulezero: ignore[] why", "# ignore[a] b"]
)
def test_a_comment_that_names_no_rule_is_none(text: str) -> None:
    assert told(f"x = 1  {text}\n") == []


def told(source: str) -> list[dict[str, object]]:
    return ignores(source.encode(), ast.parse(source))
