"""The rules can be looked up, and their pages are those that are committed."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rulezero_policies.rehearsal_rules import REHEARSAL_RULES
from rulezero_policies.rules import RULES
from rulezero_server.cli import rulebook
from rulezero_server.cli.commands import cli

DOCS = Path(__file__).parents[2] / "docs" / "rules"


def test_the_committed_pages_are_those_that_the_rules_make() -> None:
    committed = {p.name: p.read_text(encoding="utf-8") for p in DOCS.glob("*.md")}
    wanted = rulebook.pages()
    assert sorted(committed) == sorted(wanted), "run `make docs`"
    assert [n for n, text in wanted.items() if committed[n] != text] == [], "run `make docs`"


def test_a_page_says_what_happens_what_to_paste_and_shows_both(tmp_path: Path) -> None:
    assert rulebook.write(tmp_path) == len(RULES) + len(REHEARSAL_RULES)
    text = (tmp_path / "set-not-null.md").read_text()
    for heading in ("# set-not-null", "## What happens", "## What to do", "## Found"):
        assert heading in text
    assert "{" not in text.partition("## Found")[0]
    assert "PostgreSQL" in text


def test_a_page_of_a_rule_that_is_gone_goes(tmp_path: Path) -> None:
    (tmp_path / "old.md").touch()
    rulebook.write(tmp_path)
    assert not (tmp_path / "old.md").exists()


def test_a_quoted_place_is_filled_with_quotes_once() -> None:
    rule = rulebook.find("drop-column")
    assert rule is not None
    assert "op.alter_column('TABLE', 'COLUMN'" in rulebook.page(rule)


def test_rules_lists_every_rule() -> None:
    told = CliRunner().invoke(cli, ["rules", "--format", "json"])
    assert told.exit_code == 0
    listed = json.loads(told.stdout)
    assert sorted(r["id"] for r in listed) == sorted(r.id for r in (*RULES, *REHEARSAL_RULES))
    assert all(r["databases"] and r["title"] and r["severity"] for r in listed)
    assert "drop-column" in CliRunner().invoke(cli, ["rules"]).stdout


def test_a_rule_of_the_rehearsal_says_with_which_rows_its_example_shows_it(tmp_path: Path) -> None:
    rulebook.write(tmp_path)
    text = (tmp_path / "upgrade-fails.md").read_text()
    assert "## Shown by a rehearsal of\n\nWith a user without an email:" in text
    assert "{" not in text.partition("## Shown by")[0]
    assert "## Shown by a rehearsal" in (tmp_path / "README.md").read_text()


def test_rules_prints_one_page() -> None:
    told = CliRunner().invoke(cli, ["rules", "char-n"])
    assert told.stdout.startswith("# char-n\n")
    as_json = CliRunner().invoke(cli, ["rules", "char-n", "--format", "json"])
    assert json.loads(as_json.stdout)["id"] == "char-n"


@pytest.mark.parametrize("arguments", [["no-such-rule"], ["--format", "sarif"]])
def test_what_cannot_be_listed_is_said(arguments: list[str]) -> None:
    told = CliRunner().invoke(cli, ["rules", *arguments])
    assert told.exit_code == 2
