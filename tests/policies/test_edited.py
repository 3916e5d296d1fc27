"""What of an applied revision counts as an edit."""

from datetime import UTC, datetime

import pytest

from rulezero_policies.edited import Applied, edited

RAN = b"def upgrade():\n    op.drop_table('a')\n"
ONE = Applied(
    revision="r1",
    path="v/r1.py",
    data=RAN,
    plan_id="plan-1",
    at=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
)


@pytest.mark.parametrize(
    ("now", "counts"),
    [
        (RAN, False),
        (b"# ours\n" + RAN.replace(b"'a'", b'"a"'), False),
        (RAN.replace(b"'a'", b"'b'"), True),
        (RAN + b"def", True),
        (b"\0", True),
    ],
    ids=["nothing", "comments and layout", "code", "what does not parse", "no source"],
)
def test_other_code_is_an_edit_and_other_layout_none(now: bytes, counts: bool) -> None:
    flaws = edited((ONE,), {"v/r1.py": now})
    assert [(f.kind, f.revision, f.names) for f in flaws] == (
        [("edited", "r1", ("2026-01-02 03:04 UTC", "plan-1"))] if counts else []
    )


def test_a_file_that_lies_elsewhere_is_no_edited_one() -> None:
    assert edited((ONE,), {"w/r1.py": b""}) == ()
