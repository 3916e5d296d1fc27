"""Edits of settings texts, held against what python-dotenv reads before and after."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rulezero_policies.parity import editing
from rulezero_policies.parity.editing import NotEditable
from rulezero_server.parity.pieces import pieces, unread, values

pytestmark = pytest.mark.proves("B08")

KEYS = ("A", "B_1", "DATABASE_URL", "FEATURE_NOTES", "Z.x", "last-one")
ENDS = ("\n", "\r\n", "\r")

plain = st.text(alphabet="ab:/@ #=$'{}\\é", max_size=8).map(str.strip)
quoted = st.text(alphabet="ab #=\n$é", max_size=8)


def binding(key: str) -> st.SearchStrategy[str]:
    value = st.one_of(
        plain.filter(lambda v: v[:1] not in {"'", '"'}),
        quoted.map(lambda v: f'"{v}"'),
        quoted.map(lambda v: f"'{v}'"),
    )
    return st.tuples(
        st.sampled_from(("", "export ", "  ")),
        st.sampled_from(("=", " = ")),
        value,
        st.sampled_from(("", " # why", "  ")),
    ).map(lambda p: f"{p[0]}{key}{p[1]}{p[2]}{p[3]}")


BROKEN = ("=broken", "'open", 'A="open')
OTHERS = ("", "  ", "# a comment", "#A=1", "ALONE")
BINDINGS = st.sampled_from(KEYS).flatmap(binding)


@st.composite
def texts(draw: st.DrawFn, others: tuple[str, ...] = (*OTHERS, *BROKEN)) -> str:
    end = draw(st.sampled_from(ENDS))
    lines = draw(st.lists(BINDINGS | st.sampled_from(others), max_size=6))
    return end.join(lines) + draw(st.sampled_from(("", end)))


def whole() -> st.SearchStrategy[str]:
    """Texts that python-dotenv understands line by line."""
    return texts(OTHERS).filter(lambda t: not unread(t))


few = settings(max_examples=25, deadline=None)


def plain_keys(text: str) -> list[str]:
    return sorted(k for k in values(text) if k in {*KEYS, "ALONE"})


@few
@given(texts())
def test_the_pieces_of_a_text_are_the_text(text: str) -> None:
    found = pieces(text)
    assert editing.joined(found) == text
    assert {p.key for p in found if p.key} == set(values(text))


@few
@given(whole(), texts(), st.sampled_from(("ok", '"two\nlines"', "'q'  # why")))
def test_an_added_key_is_the_only_difference(text: str, example: str, value: str) -> None:
    before = values(text)
    key = "NEW"
    edited = editing.add(pieces(text), key, f"{key}={value}", pieces(example + "\n# on NEW\nNEW=1"))
    after = editing.joined(edited)
    assert values(after) == before | values(f"{key}={value}")
    left = iter([p.raw.rstrip("\r\n") for p in edited])
    assert all(p.raw.rstrip("\r\n") in left for p in pieces(text)), "every piece, in its order"
    assert after.startswith(("\r", "\n")) == text.startswith(("\r", "\n")) or not text.strip()


@few
@given(whole().filter(lambda t: bool(plain_keys(t))), st.data())
def test_a_removed_key_is_the_only_difference(text: str, data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(plain_keys(text)))
    edited = editing.remove(pieces(text), key, "moved to .env")
    after = editing.joined(edited)
    assert values(after) == {k: v for k, v in values(text).items() if k != key}
    gone = [p.raw for p in pieces(text) if p.key != key]
    assert [p.raw for p in edited if not p.raw.startswith(f"# {key}: moved to .env")] == gone


@few
@given(whole().filter(lambda t: bool(plain_keys(t))), st.data())
def test_a_key_that_is_commented_out_is_the_only_difference(text: str, data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(plain_keys(text)))
    after = editing.joined(editing.comment_out(pieces(text), key))
    assert values(after) == {k: v for k, v in values(text).items() if k != key}
    assert after.replace("# ", "") == text.replace("# ", "")


@few
@given(whole(), st.sampled_from(("off", '"False"', "'0'", "NO", "", "0")), st.sampled_from(ENDS))
def test_a_flag_that_is_switched_on_is_the_only_difference(text: str, old: str, end: str) -> None:
    before = {k: v for k, v in values(text).items() if k != "FLAG"}
    head = text if text.endswith(("\n", "\r")) or not text else text + end
    after = editing.joined(
        editing.switch_on(pieces(f"{head}export FLAG={old} # why{end}B=2{end}"), "FLAG")
    )
    on = values(after)
    assert on["FLAG"] in {"on", "True", "1", "YES", "true"}
    assert on == before | {"FLAG": on["FLAG"], "B": "2"}
    assert f" # why{end}" in after


def test_a_key_is_added_after_its_neighbour_in_the_example_with_the_comment_above_it() -> None:
    example = "A=1\n\n# Where mail goes to\n# (required)\nMAIL=x\nZ=1\n"
    text = "# mine\r\nA=real\r\n\r\n# the end\r\nZ=real\r\n"
    edited = editing.add(pieces(text), "MAIL", "MAIL=post\n", pieces(example))
    assert editing.joined(edited) == (
        "# mine\r\nA=real\r\n# Where mail goes to\r\n# (required)\r\nMAIL=post\r\n\r\n"
        "# the end\r\nZ=real\r\n"
    )


def test_keys_are_added_before_a_later_neighbour_and_above_its_comment() -> None:
    edited = editing.add(pieces("# on Z\nZ=1"), "A", "A=0", pieces("A=\nZ="))
    assert editing.joined(edited) == "A=0\n# on Z\nZ=1"


def test_a_text_without_a_last_newline_stays_without_one() -> None:
    assert editing.joined(editing.add(pieces("A=1"), "B", "B=2\n")) == "A=1\nB=2"
    assert editing.joined(editing.add((), "B", "B=2")) == "B=2\n"


def test_every_line_that_sets_a_key_goes_with_it() -> None:
    text = "export A='1\n2' # why\nB=2\nA=3"
    assert editing.joined(editing.remove(pieces(text), "A", "in .env now")) == (
        "# A: in .env now\nB=2\n# A: in .env now"
    )
    assert editing.raw_of(pieces(text), "A") == "A=3"


@pytest.mark.parametrize("text", ["FLAG=maybe", "FLAG", "FLAG='open\n", "OTHER=0"])
def test_what_is_no_word_for_off_is_not_switched_on(text: str) -> None:
    with pytest.raises(NotEditable):
        editing.switch_on(pieces(text), "FLAG")


def test_what_cannot_be_edited_is_refused() -> None:
    with pytest.raises(NotEditable, match="already"):
        editing.add(pieces("A=1"), "A", "A=2")
    with pytest.raises(NotEditable, match="plain name"):
        editing.add((), "A\nB", "A=2")
    with pytest.raises(NotEditable, match="not set"):
        editing.remove(pieces("A=1"), "B", "gone")
    with pytest.raises(NotEditable, match="not set"):
        editing.comment_out(pieces("A=1"), "B")
