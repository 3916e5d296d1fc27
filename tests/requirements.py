"""What the product promises, and which tests prove it.

`python tests/requirements.py` prints the table; `--write` refreshes the lists of tests at the end of
this file. Tests say what they prove with `@pytest.mark.proves("A17", ...)`; the lists are kept
here as well, so that a test that disappears is noticed (`tests/test_requirements.py`).
"""

# ruff: noqa: E501 - the name of a test is as long as its sentence

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]

PROMISES: dict[str, str] = {
    "A01": "No change reaches a database unless a person approved exactly that change.",
    "A02": "The order of the steps is enforced; a call out of order is told what to call first.",
    "A03": "`analyze` says what changes, what breaks, the strategy, the order that foreign keys "
    "force, indexes worth adding, the risk and a checklist.",
    "A04": "CRITICAL: NOT NULL without default, dropped data, type change, removed foreign key, "
    "rename (and the drop+add that looks like one); with a backup recommendation.",
    "A05": "WARNING: foreign key or unique constraint on existing data, shorter length, changed "
    "CHECK.",
    "A06": "SAFE: nullable column, column with server default, new table, index, soft delete.",
    "A07": 'Live data, counted read-only on the target, decides between "may" and "will".',
    "A08": "`generate` does what `flask db migrate` / `alembic revision --autogenerate` does.",
    "A09": "A CRITICAL analysis stops before a file is written, until a person says to go on; that "
    "is no approval to apply.",
    "A10": "Code, templates and SQL that refer to what is dropped or renamed are listed.",
    "A11": "`review` runs the checklist over upgrade and downgrade, with evidence and a fix each.",
    "A12": "The approval request has the coordinator's form.",
    "A13": "The three critical warnings stand in the coordinator's words, with real names, options "
    "and the typed answer for drops.",
    "A14": "NEEDS_CHANGES: issues, fixes, and the question goes to the person; fixing is one call.",
    "A15": "The safer multi-step migration is one call.",
    "A16": "After apply: verified; current revision, previous revision and rollback command.",
    "A17": "Failures to generate are told apart: syntax, import, connection, not at head, several "
    "heads; with the error and the place.",
    "A18": "A failed apply tells the database's error, which rows, what was applied and what to "
    "do now.",
    "A19": "The five forbidden actions are impossible through the product.",
    "A20": "The five required patterns always hold.",
    "A21": "The three example flows run end to end through a real client, on SQLite and "
    "PostgreSQL.",
    "A22": "In doubt: conservative, with a way back; what is not understood is unknown, not safe.",
    "B01": "The verdict is PASS or FAIL; a FAIL carries what a new plan needs.",
    "B02": "Keys that production lacks, per service, and keys that nothing uses.",
    "B03": "The live schema against the models on main, and against another environment's.",
    "B04": "Any number of service folders, compared key by key.",
    "B05": "A consolidation plan: shared keys to the root, conflicts listed, never resolved "
    "silently.",
    "B06": "Database updates are nullable or defaulted, versioned, and go through the same gate.",
    "B07": "Which flag gates what, its value per environment, and which must change.",
    "B08": "Missing keys are written with order, comments and a backup, after approval only.",
    "B09": "The in-memory fallback store mirrors the schema and keeps the Store interface.",
    "B10": "Every service sees the same environment; the function is callable; old data reads.",
    "B11": "A second run changes nothing; no conflicting duplicates; existing files open.",
    "B12": "The report has the five sections, in order.",
    "B13": "Forbidden: overwriting without backup, dropping columns, breaking the interface.",
    "B14": '"If the code is there, find the switch": what a function needs and production lacks.',
    "B15": "Secret values never reach the model, a log or a report.",
    "C01": "An MCP server with analyze, generate, review and apply.",
    "C02": "Apply-tokens: after a person's separate answer, single use, expiring, bound to plan, "
    "database and principal.",
    "C03": "Rule 0 holds however the client's model behaves.",
    "C04": "Claude Desktop, VS Code agent mode and a script: each one command, documented.",
    "C05": "Built on mcp, alembic, sqlalchemy, flask-migrate, pydantic, anyio; pytest.",
    "C06": "Top level: pyproject.toml, server/, tools/, policies/, tests/.",
    "D01": "Loading a project never changes its database; an app that tries is reported.",
    "D02": "Review rehearses on a shadow database and compares schema and rows.",
    "D03": "The bytes that run are the bytes that were approved.",
    "D04": "Approval proves a person to a stated level, and says what it does not prove.",
    "D05": "PostgreSQL itself refuses DDL outside an approved plan.",
    "D06": "What is dropped can be archived, and the downgrade restores it.",
    "D07": "Renames are proposed from drop+add pairs, and generated when the person says so.",
    "D08": "Interrupted anywhere, the outcome is known afterwards.",
    "D09": "One plan over many databases, canary first, resumable, with many approvers.",
    "D10": "A tamper-evident audit trail.",
    "D11": "A published attack suite: N attacks, 0 applies.",
}

PARITY = "`check_parity` and `find_switch` are not built yet"

PENDING: dict[str, str] = {
    "A07": "rows, values and NULLs are counted; duplicates, orphans and casts are not yet",
    "A10": "the project's source is not searched for references yet",
    "A14": "the question is asked; `fix` is not built yet",
    "A15": "the safer migration is described; writing it is not built yet",
    "A18": "the rows that violate a constraint are not named yet",
    **{f"B{number:02}": PARITY for number in range(1, 16)},
    "C03": "every attack that has a test changes nothing; the whole attack suite is not built yet",
    "C04": "documented for three clients; `rulezero install` is not built yet",
    "D01": "connections of asyncpg or PyMySQL without SQLAlchemy, and child processes, can write yet",
    "D02": "the rehearsal on a shadow database is not built yet",
    "D03": "configuration files are not sealed yet; the code of the project is",
    "D04": "the level of a form is stated and enforced; PIN and passkey are not built yet",
    "D05": "the guard inside PostgreSQL is not built yet",
    "D06": "archives are not built yet",
    "D07": "renames are reported; writing them is not built yet",
    "D08": "no test interrupts a run at every point yet",
    "D09": "fleets are not built yet",
    "D10": "entries cut off at the end of the chain are not noticed yet",
    "D11": "the attack suite is not built yet",
}
"""Why a promise is not kept yet, or not in full; an id may stand here and have tests already."""


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """A promise, the tests that prove it, and why it is not kept in full if it is not."""

    promise: str
    tests: tuple[str, ...]
    pending: str | None

    @property
    def state(self) -> str:
        """`done`, `in part` or `pending`."""
        if self.pending is None:
            return "done"
        return "in part" if self.tests else "pending"


class UnreadableMarkerError(Exception):
    """A `proves` marker whose ids are no plain strings."""


def manifest() -> dict[str, Requirement]:
    """Every promise by its id."""
    return {
        name: Requirement(
            promise=promise, tests=tuple(TESTS.get(name, [])), pending=PENDING.get(name)
        )
        for name, promise in PROMISES.items()
    }


def marked(root: Path = ROOT) -> dict[str, tuple[str, ...]]:
    """The tests that carry each id, read from the files under `root`/tests; nothing is run.

    Raises:
        UnreadableMarkerError: A marker's ids cannot be read without running it.
    """
    found: dict[str, set[str]] = {}
    for file in sorted((root / "tests").rglob("test_*.py")):
        path = file.relative_to(root).as_posix()
        if "/projects/" in path:
            continue
        for test, ids in _file(path, ast.parse(file.read_text(encoding="utf-8"), path)):
            for name in ids:
                found.setdefault(name, set()).add(test)
    return {name: tuple(sorted(tests)) for name, tests in sorted(found.items())}


def problems(
    requirements: dict[str, Requirement], carried: dict[str, tuple[str, ...]]
) -> list[str]:
    """Where manifest and markers disagree, each in one sentence; empty when they agree."""
    found = [
        f"{name}: no such promise ({carried[name][0]})" for name in carried.keys() - requirements
    ]
    for name, requirement in requirements.items():
        here = set(carried.get(name, ()))
        listed = set(requirement.tests)
        found += [f"{name}: {test} is listed and does not prove it" for test in listed - here]
        found += [f"{name}: {test} proves it and is not listed" for test in here - listed]
        if not here and requirement.pending is None:
            found.append(f"{name}: no test proves it, and it is not pending")
    return sorted(found)


def _file(path: str, tree: ast.Module) -> Iterator[tuple[str, set[str]]]:
    everywhere = _module_ids(path, tree)
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            of_class = everywhere | _ids(path, node.decorator_list)
            yield from _tests(path, f"{path}::{node.name}", node.body, of_class)
    yield from _tests(path, path, tree.body, everywhere)


def _tests(
    path: str, prefix: str, body: list[ast.stmt], ids: set[str]
) -> Iterator[tuple[str, set[str]]]:
    """The test functions of a body, and the state machines' `TestX = Machine.TestCase`."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith(
            "test"
        ):
            yield f"{prefix}::{node.name}", ids | _ids(path, node.decorator_list)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name) and target.id.startswith("Test"):
                    yield f"{prefix}::{target.id}", ids


def _module_ids(path: str, tree: ast.Module) -> set[str]:
    values = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        and any(isinstance(t, ast.Name) and t.id == "pytestmark" for t in node.targets)
    ]
    return _ids(path, values)


def _ids(path: str, nodes: list[ast.expr]) -> set[str]:
    """The arguments of every `proves(...)` in these expressions."""
    calls = [
        call
        for node in nodes
        for call in ast.walk(node)
        if isinstance(call, ast.Call) and getattr(call.func, "attr", None) == "proves"
    ]
    return {_text(path, argument) for call in calls for argument in call.args}


def _text(path: str, argument: ast.expr) -> str:
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        return argument.value
    raise UnreadableMarkerError(f"{path}:{argument.lineno}: write the ids as plain strings")


def table() -> str:
    """The requirements as people read them."""
    rows = [
        f"{name}  {r.state:<8} {len(r.tests):>4}  {r.promise}"
        + (f" [{r.pending}]" if r.pending else "")
        for name, r in manifest().items()
    ]
    states = [r.state for r in manifest().values()]
    counts = ", ".join(f"{states.count(s)} {s}" for s in ("done", "in part", "pending"))
    return "\n".join([*rows, f"{len(rows)} promises: {counts}"])


def write() -> None:
    """Replace the lists of tests below by what the markers say."""
    file = Path(__file__)
    head, begin, rest = file.read_text(encoding="utf-8").rpartition(BEGIN)
    lines = ["TESTS: dict[str, list[str]] = {\n"]
    for name, tests in marked().items():
        lines += [f'    "{name}": [\n', *(f'        "{test}",\n' for test in tests), "    ],\n"]
    tail = rest.partition(END)[2]
    file.write_text("".join([head, begin, *lines, "}\n", END, tail]), encoding="utf-8")


BEGIN = "# Written by --write: begin\n"
END = "# Written by --write: end\n"

# Written by --write: begin
TESTS: dict[str, list[str]] = {
    "A01": [
        "tests/e2e/test_command_line.py::test_no_command_applies_and_no_option_skips_the_question",
        "tests/e2e/test_hostile.py::test_a_client_that_cannot_ask_is_told_who_can",
        "tests/e2e/test_hostile.py::test_a_file_edited_after_the_yes_is_stale",
        "tests/e2e/test_hostile.py::test_a_host_that_does_not_say_yes_gets_no_token",
        "tests/e2e/test_hostile.py::test_a_spent_token_runs_nothing_a_second_time",
        "tests/e2e/test_hostile.py::test_a_token_for_one_plan_or_project_opens_no_other",
        "tests/e2e/test_hostile.py::test_application_code_edited_after_the_yes_is_stale",
        "tests/e2e/test_hostile.py::test_apply_without_a_good_token_changes_nothing",
        "tests/e2e/test_hostile.py::test_declined_and_never_shown_are_told_apart",
        "tests/e2e/test_hostile.py::test_steps_out_of_order_name_the_step_to_call_first",
        "tests/e2e/test_server.py::test_every_tool_is_titled_typed_and_says_truly_whether_it_writes",
        "tests/server/test_runner.py::test_without_a_spent_grant_for_this_very_plan_nothing_runs",
        "tests/server/test_worker_readonly.py::test_an_app_that_upgrades_on_start_changes_nothing_and_is_named",
        "tests/server/worker/test_run.py::test_a_database_that_moved_on_gets_nothing_sent",
        "tests/server/worker/test_run.py::test_another_database_than_the_approved_one_gets_nothing_sent",
        "tests/server/worker/test_trace.py::test_nothing_that_a_revision_does_reaches_the_database",
        "tests/test_one_gate.py::test_a_grant_is_made_and_kept_in_one_place",
        "tests/test_one_gate.py::test_a_permit_is_made_in_one_place_from_a_spent_grant",
        "tests/test_one_gate.py::test_generating_drops_the_permit_it_is_given",
        "tests/test_one_gate.py::test_in_the_worker_only_the_run_takes_steps_that_are_not_written_out_as_sql",
        "tests/test_one_gate.py::test_nothing_outside_the_worker_imports_by_a_name_made_at_run_time",
        "tests/test_one_gate.py::test_only_the_executor_and_the_composition_root_know_a_runner",
        "tests/test_one_gate.py::test_only_the_executor_runs_a_runner",
        "tests/test_one_gate.py::test_only_the_launcher_and_the_demo_start_processes",
        "tests/test_one_gate.py::test_only_the_launcher_writes_a_request_to_the_worker",
        "tests/test_one_gate.py::test_only_the_runner_asks_for_a_writable_session",
        "tests/test_one_gate.py::test_only_the_store_runs_migrations_by_alembics_commands",
        "tests/test_one_gate.py::test_only_the_stores_and_the_worker_import_a_database_driver",
        "tests/test_one_gate.py::test_only_the_tool_apply_takes_a_runner_and_hands_it_straight_to_the_executor",
        "tests/tools/test_gate.py::test_a_yes_gives_a_token_that_runs_the_plan_once_from_the_sealed_bytes",
        "tests/tools/test_gate.py::test_no_token_and_an_invented_one_run_nothing",
    ],
    "A02": [
        "tests/e2e/test_hostile.py::test_steps_out_of_order_name_the_step_to_call_first",
        "tests/policies/test_errors.py::test_a_step_out_of_order_names_the_step_to_call_first",
        "tests/tools/test_gate.py::test_steps_out_of_order_name_the_step_to_call_first",
        "tests/tools/test_generate.py::test_an_analysis_of_another_environment_or_project_is_unknown",
    ],
    "A03": [
        "tests/policies/test_checklist.py::test_a_critical_finding_puts_the_backup_first",
        "tests/policies/test_checklist.py::test_a_foreign_key_without_an_index_is_worth_one",
        "tests/policies/test_checklist.py::test_a_strategy_is_recommended",
        "tests/policies/test_checklist.py::test_tables_come_in_the_order_that_foreign_keys_force",
    ],
    "A04": [
        "tests/policies/test_checklist.py::test_a_critical_finding_puts_the_backup_first",
        "tests/policies/test_rules_changes.py::test_a_drop_and_an_add_of_the_same_kind_look_like_a_rename",
        "tests/policies/test_rules_changes.py::test_a_removed_foreign_key_is_critical",
        "tests/policies/test_rules_changes.py::test_a_rename_is_critical_for_running_code",
        "tests/policies/test_rules_changes.py::test_a_table_that_comes_back_under_another_name_looks_like_a_rename",
        "tests/policies/test_rules_changes.py::test_a_type_change_is_classed_by_what_happens_to_the_values",
        "tests/policies/test_rules_changes.py::test_rows_decide_on_a_dropped_table",
        "tests/policies/test_rules_changes.py::test_rows_decide_on_a_not_null_column_without_default",
        "tests/policies/test_rules_changes.py::test_values_decide_on_a_dropped_column",
        "tests/policies/test_rules_sql.py::test_a_raw_drop_is_found_and_counted_like_any_other",
    ],
    "A05": [
        "tests/policies/test_rules_changes.py::test_a_changed_check_is_called_changed",
        "tests/policies/test_rules_changes.py::test_a_condition_on_existing_rows_is_a_warning",
        "tests/policies/test_rules_changes.py::test_a_type_change_is_classed_by_what_happens_to_the_values",
        "tests/policies/test_rules_changes.py::test_a_widening_or_another_spelling_is_no_finding",
    ],
    "A06": [
        "tests/policies/test_rules_changes.py::test_a_safe_change_is_left_in_peace",
        "tests/policies/test_rules_changes.py::test_a_widening_or_another_spelling_is_no_finding",
        "tests/policies/test_rules_changes.py::test_whatever_is_done_to_a_table_of_the_same_plan_is_safe",
    ],
    "A07": [
        "tests/e2e/test_projects.py::test_mariadb_goes_the_whole_way_and_invented_values_are_foretold",
        "tests/policies/test_rules_changes.py::test_a_type_change_of_an_empty_table_is_a_warning",
        "tests/policies/test_rules_changes.py::test_nulls_decide_on_set_not_null",
        "tests/policies/test_rules_changes.py::test_rows_decide_on_a_dropped_table",
        "tests/policies/test_rules_changes.py::test_rows_decide_on_a_not_null_column_without_default",
        "tests/policies/test_rules_changes.py::test_values_decide_on_a_dropped_column",
        "tests/server/worker/test_probe.py::test_rows_values_and_nulls_are_counted",
    ],
    "A08": [
        "tests/server/test_worker_reading.py::test_a_failing_post_write_hook_does_not_hide_the_file_that_was_written",
        "tests/server/test_worker_reading.py::test_what_is_generated_is_what_flask_db_migrate_writes",
    ],
    "A09": [
        "tests/e2e/test_flows.py::test_a_dropped_column_stops_before_generation_and_again_before_the_run",
        "tests/policies/test_words.py::test_a_dangerous_change_stops_before_generation_in_the_coordinators_words",
        "tests/policies/test_words.py::test_every_critical_finding_is_named_before_generation",
        "tests/tools/test_gate.py::test_a_critical_revision_is_written_only_after_a_person_said_to_go_on",
        "tests/tools/test_gate.py::test_the_approval_to_generate_is_not_the_approval_to_apply",
        "tests/tools/test_gate.py::test_without_a_backup_or_with_code_that_uses_it_nothing_is_written",
        "tests/tools/test_generate.py::test_a_critical_revision_is_not_written_with_an_invented_token",
        "tests/tools/test_generate.py::test_models_that_changed_since_a_safe_analysis_write_nothing",
    ],
    "A11": [
        "tests/e2e/test_command_line.py::test_review_prints_the_documented_json",
        "tests/policies/test_checklist.py::test_a_finding_fails_its_line_of_the_checklist",
        "tests/policies/test_checklist.py::test_risk_is_the_worst_severity_and_the_verdict_follows_the_table",
        "tests/policies/test_checklist.py::test_the_checklist_has_the_seven_lines_and_passes_without_findings",
        "tests/policies/test_rules_changes.py::test_a_constraint_without_a_name_cannot_be_dropped",
        "tests/policies/test_rules_changes.py::test_a_foreign_key_before_its_table_is_found",
        "tests/policies/test_rules_changes.py::test_a_jsonb_column_wants_a_gin_index",
        "tests/policies/test_rules_changes.py::test_json_on_postgresql_should_be_jsonb",
        "tests/policies/test_rules_downgrade.py::test_a_downgrade_in_an_impossible_order_is_found",
        "tests/policies/test_rules_downgrade.py::test_a_downgrade_that_does_not_go_back_is_told",
        "tests/policies/test_rules_downgrade.py::test_a_downgrade_that_reverses_everything_is_left_in_peace",
        "tests/policies/test_rules_downgrade.py::test_a_missing_function_is_told",
        "tests/policies/test_rules_downgrade.py::test_a_step_that_is_not_reversed_is_named",
    ],
    "A12": [
        "tests/e2e/test_flows.py::test_a_dropped_column_stops_before_generation_and_again_before_the_run",
        "tests/policies/test_checklist.py::test_a_step_is_described_in_plain_words",
        "tests/policies/test_words.py::test_breaking_changes_and_the_words_to_type_are_in_the_request",
        "tests/policies/test_words.py::test_the_approval_request_has_the_coordinators_form",
    ],
    "A13": [
        "tests/e2e/test_flows.py::test_a_dropped_column_stops_before_generation_and_again_before_the_run",
        "tests/policies/test_decision.py::test_a_drop_needs_its_words_typed",
        "tests/policies/test_policy.py::test_a_critical_drop_needs_the_typed_words",
        "tests/policies/test_words.py::test_a_dropped_column_is_warned_of_in_the_coordinators_words",
        "tests/policies/test_words.py::test_a_not_null_column_without_default_is_warned_of_in_the_coordinators_words",
        "tests/policies/test_words.py::test_a_type_change_is_warned_of_in_the_coordinators_words",
        "tests/tools/test_gate.py::test_a_drop_needs_the_typed_words",
    ],
    "A14": [
        "tests/policies/test_words.py::test_issues_are_listed_with_a_fix_each_and_the_question_is_put",
    ],
    "A16": [
        "tests/policies/test_words.py::test_a_rollback_is_called_one_and_gives_the_way_forward_again",
        "tests/policies/test_words.py::test_after_apply_the_way_back_is_always_told",
        "tests/policies/test_words.py::test_the_commands_are_those_of_the_projects_tool",
        "tests/tools/test_apply.py::test_a_failed_run_gives_the_error_and_that_nothing_remains",
        "tests/tools/test_apply.py::test_a_run_is_read_back_and_always_gives_the_rollback_command",
        "tests/tools/test_gate.py::test_a_yes_gives_a_token_that_runs_the_plan_once_from_the_sealed_bytes",
    ],
    "A17": [
        "tests/e2e/test_bad_input.py::test_an_unknown_revision_plan_environment_or_analysis_is_named",
        "tests/e2e/test_bad_input.py::test_what_is_wrong_with_a_project_is_one_sentence_and_a_next_step",
        "tests/policies/test_errors.py::test_the_ways_in_which_generation_fails_are_told_apart",
        "tests/server/test_worker_errors.py::test_a_database_that_is_down_is_named_without_its_password",
        "tests/server/test_worker_errors.py::test_a_driver_that_is_not_installed_is_a_missing_package",
        "tests/server/test_worker_errors.py::test_a_failing_env_py_is_named",
        "tests/server/test_worker_errors.py::test_a_migration_folder_that_is_gone_is_named",
        "tests/server/test_worker_errors.py::test_a_package_that_a_revision_needs_is_named_with_the_python_that_lacks_it",
        "tests/server/test_worker_errors.py::test_a_refused_password_is_not_repeated",
        "tests/server/test_worker_errors.py::test_a_revision_file_that_does_not_load_is_named",
        "tests/server/test_worker_errors.py::test_a_syntax_error_in_the_models_has_its_line",
        "tests/server/test_worker_errors.py::test_an_app_that_cannot_be_found_says_what_to_set",
        "tests/server/test_worker_errors.py::test_an_app_that_fails_while_it_is_made_is_named",
        "tests/server/test_worker_errors.py::test_an_app_without_flask_migrate_is_named",
        "tests/server/test_worker_errors.py::test_an_import_error_below_env_py_has_its_line",
        "tests/server/test_worker_errors.py::test_an_import_error_has_its_line",
        "tests/server/test_worker_errors.py::test_an_interpreter_that_cannot_be_started_is_named",
        "tests/server/test_worker_errors.py::test_an_interpreter_without_alembic_is_named",
        "tests/server/test_worker_reading.py::test_a_database_at_a_revision_nobody_holds_is_named",
        "tests/server/test_worker_reading.py::test_a_database_behind_its_revisions_is_named",
        "tests/server/test_worker_reading.py::test_a_failing_post_write_hook_does_not_hide_the_file_that_was_written",
        "tests/server/test_worker_reading.py::test_several_heads_are_named",
        "tests/server/test_worker_readonly.py::test_a_write_by_the_app_is_refused_and_named",
    ],
    "A18": [
        "tests/e2e/test_projects.py::test_mariadb_goes_the_whole_way_and_invented_values_are_foretold",
        "tests/server/worker/test_run.py::test_a_failed_run_tells_the_databases_error_and_the_line",
        "tests/tools/test_apply.py::test_a_failed_run_gives_the_error_and_that_nothing_remains",
        "tests/tools/test_apply.py::test_a_run_that_left_something_behind_is_called_partly_applied",
    ],
    "A19": [
        "tests/e2e/test_command_line.py::test_no_command_applies_and_no_option_skips_the_question",
        "tests/e2e/test_hostile.py::test_a_client_that_cannot_ask_is_told_who_can",
        "tests/e2e/test_hostile.py::test_a_file_edited_after_the_yes_is_stale",
        "tests/e2e/test_hostile.py::test_a_host_that_does_not_say_yes_gets_no_token",
        "tests/e2e/test_hostile.py::test_a_spent_token_runs_nothing_a_second_time",
        "tests/e2e/test_hostile.py::test_a_token_for_one_plan_or_project_opens_no_other",
        "tests/e2e/test_hostile.py::test_application_code_edited_after_the_yes_is_stale",
        "tests/e2e/test_hostile.py::test_apply_without_a_good_token_changes_nothing",
        "tests/e2e/test_hostile.py::test_declined_and_never_shown_are_told_apart",
        "tests/e2e/test_hostile.py::test_steps_out_of_order_name_the_step_to_call_first",
        "tests/test_one_gate.py::test_a_grant_is_made_and_kept_in_one_place",
        "tests/test_one_gate.py::test_a_permit_is_made_in_one_place_from_a_spent_grant",
        "tests/test_one_gate.py::test_generating_drops_the_permit_it_is_given",
        "tests/test_one_gate.py::test_in_the_worker_only_the_run_takes_steps_that_are_not_written_out_as_sql",
        "tests/test_one_gate.py::test_nothing_outside_the_worker_imports_by_a_name_made_at_run_time",
        "tests/test_one_gate.py::test_only_the_executor_and_the_composition_root_know_a_runner",
        "tests/test_one_gate.py::test_only_the_executor_runs_a_runner",
        "tests/test_one_gate.py::test_only_the_launcher_and_the_demo_start_processes",
        "tests/test_one_gate.py::test_only_the_launcher_writes_a_request_to_the_worker",
        "tests/test_one_gate.py::test_only_the_runner_asks_for_a_writable_session",
        "tests/test_one_gate.py::test_only_the_store_runs_migrations_by_alembics_commands",
        "tests/test_one_gate.py::test_only_the_stores_and_the_worker_import_a_database_driver",
        "tests/test_one_gate.py::test_only_the_tool_apply_takes_a_runner_and_hands_it_straight_to_the_executor",
    ],
    "A20": [
        "tests/e2e/test_flows.py::test_a_dropped_column_stops_before_generation_and_again_before_the_run",
        "tests/e2e/test_flows.py::test_a_not_null_column_needs_its_server_default",
        "tests/e2e/test_flows.py::test_a_nullable_column_is_safe_from_models_to_rollback",
        "tests/policies/test_words.py::test_a_dropped_column_is_warned_of_in_the_coordinators_words",
        "tests/policies/test_words.py::test_a_not_null_column_without_default_is_warned_of_in_the_coordinators_words",
        "tests/policies/test_words.py::test_a_rollback_is_called_one_and_gives_the_way_forward_again",
        "tests/policies/test_words.py::test_a_type_change_is_warned_of_in_the_coordinators_words",
        "tests/policies/test_words.py::test_after_apply_the_way_back_is_always_told",
        "tests/policies/test_words.py::test_the_approval_request_has_the_coordinators_form",
        "tests/tools/test_apply.py::test_a_run_is_read_back_and_always_gives_the_rollback_command",
        "tests/tools/test_reading.py::test_a_rollback_names_the_revision_before_and_what_it_undoes",
    ],
    "A21": [
        "tests/e2e/test_flows.py::test_a_dropped_column_stops_before_generation_and_again_before_the_run",
        "tests/e2e/test_flows.py::test_a_not_null_column_needs_its_server_default",
        "tests/e2e/test_flows.py::test_a_nullable_column_is_safe_from_models_to_rollback",
        "tests/e2e/test_projects.py::test_a_plain_alembic_project_goes_the_whole_way_and_back",
        "tests/policies/test_words.py::test_a_dangerous_change_stops_before_generation_in_the_coordinators_words",
        "tests/policies/test_words.py::test_nothing_is_warned_of_where_nothing_was_found",
    ],
    "A22": [
        "tests/policies/test_rules_downgrade.py::test_a_downgrade_that_could_not_be_followed_is_unknown_and_not_compared",
        "tests/policies/test_rules_downgrade.py::test_an_upgrade_that_stops_while_it_is_read_is_unknown",
        "tests/policies/test_rules_sql.py::test_sql_that_is_not_understood_is_unknown_never_safe",
        "tests/server/worker/test_operations.py::test_an_operation_nobody_knows_is_opaque",
        "tests/server/worker/test_probe.py::test_what_cannot_be_asked_is_unknown_and_the_next_question_is_still_answered",
        "tests/server/worker/test_trace.py::test_a_call_of_the_drivers_own_is_unknown",
        "tests/server/worker/test_trace.py::test_a_downgrade_that_looks_at_the_schema_is_unknown",
        "tests/server/worker/test_trace.py::test_a_revision_that_raises_keeps_what_came_before_and_says_where",
        "tests/server/worker/test_trace.py::test_a_revision_without_an_end_is_cut_off_and_unknown",
        "tests/server/worker/test_trace.py::test_loops_helpers_and_aliases_are_seen_as_what_they_do",
        "tests/server/worker/test_trace.py::test_rows_that_a_revision_asks_for_make_it_unknown",
    ],
    "B15": [
        "tests/e2e/test_server.py::test_a_password_reaches_no_result_no_question_and_no_file_of_ours",
        "tests/server/worker/test_run.py::test_a_password_in_an_error_stays_inside",
    ],
    "C01": [
        "tests/e2e/test_flows.py::test_a_dropped_column_stops_before_generation_and_again_before_the_run",
        "tests/e2e/test_flows.py::test_a_not_null_column_needs_its_server_default",
        "tests/e2e/test_flows.py::test_a_nullable_column_is_safe_from_models_to_rollback",
        "tests/e2e/test_projects.py::test_a_plain_alembic_project_goes_the_whole_way_and_back",
        "tests/e2e/test_server.py::test_every_tool_is_titled_typed_and_says_truly_whether_it_writes",
    ],
    "C02": [
        "tests/policies/test_decision.py::test_a_grant_that_differs_in_anything_is_refused",
        "tests/policies/test_decision.py::test_the_matching_grant_is_redeemed",
        "tests/policies/test_plan.py::test_the_digest_changes_when_any_field_changes",
        "tests/server/test_runner.py::test_without_a_spent_grant_for_this_very_plan_nothing_runs",
        "tests/server/test_store_contract.py::test_a_grant_is_spent_once",
        "tests/server/test_store_contract.py::test_a_spent_grant_cannot_be_kept_afresh",
        "tests/server/test_store_contract.py::test_of_many_processes_that_spend_a_grant_one_wins",
        "tests/server/test_store_contract.py::test_of_many_threads_that_spend_a_grant_one_wins",
        "tests/server/worker/test_run.py::test_another_database_than_the_approved_one_gets_nothing_sent",
        "tests/tools/test_gate.py::test_a_client_without_forms_is_told_how_a_person_can_approve",
        "tests/tools/test_gate.py::test_a_plan_that_ran_does_not_tell_another_token_how",
        "tests/tools/test_gate.py::test_a_question_is_answered_once",
        "tests/tools/test_gate.py::test_a_spent_token_answers_with_the_recorded_outcome_and_runs_nothing",
        "tests/tools/test_gate.py::test_a_token_expires",
        "tests/tools/test_gate.py::test_a_token_is_refused_to_another_client",
        "tests/tools/test_gate.py::test_a_token_runs_no_other_plan",
        "tests/tools/test_gate.py::test_a_yes_gives_a_token_that_runs_the_plan_once_from_the_sealed_bytes",
        "tests/tools/test_gate.py::test_an_expired_plan_is_not_asked_about",
        "tests/tools/test_gate.py::test_anything_but_a_yes_gives_no_token_and_is_told_apart",
        "tests/tools/test_gate.py::test_plans_of_other_projects_and_environments_are_unknown_here",
        "tests/tools/test_generate.py::test_a_critical_revision_is_not_written_with_an_invented_token",
    ],
    "C03": [
        "tests/e2e/test_hostile.py::test_a_client_that_cannot_ask_is_told_who_can",
        "tests/e2e/test_hostile.py::test_a_file_edited_after_the_yes_is_stale",
        "tests/e2e/test_hostile.py::test_a_host_that_does_not_say_yes_gets_no_token",
        "tests/e2e/test_hostile.py::test_a_spent_token_runs_nothing_a_second_time",
        "tests/e2e/test_hostile.py::test_a_token_for_one_plan_or_project_opens_no_other",
        "tests/e2e/test_hostile.py::test_application_code_edited_after_the_yes_is_stale",
        "tests/e2e/test_hostile.py::test_apply_without_a_good_token_changes_nothing",
        "tests/e2e/test_hostile.py::test_declined_and_never_shown_are_told_apart",
        "tests/e2e/test_hostile.py::test_steps_out_of_order_name_the_step_to_call_first",
        "tests/policies/test_decision.py::test_a_grant_that_differs_in_anything_is_refused",
        "tests/server/test_runner.py::test_a_compiled_module_planted_after_the_approval_does_not_run",
        "tests/server/test_runner.py::test_code_that_was_not_approved_does_not_run_in_a_writable_session",
        "tests/server/test_runner.py::test_other_bytes_than_the_approved_ones_do_not_run",
        "tests/server/test_runner.py::test_the_application_runs_as_it_was_when_it_was_approved",
        "tests/server/test_store_contract.py::test_of_many_processes_that_spend_a_grant_one_wins",
        "tests/server/test_store_contract.py::test_of_many_threads_that_spend_a_grant_one_wins",
        "tests/test_one_gate.py::test_a_grant_is_made_and_kept_in_one_place",
        "tests/test_one_gate.py::test_a_permit_is_made_in_one_place_from_a_spent_grant",
        "tests/test_one_gate.py::test_generating_drops_the_permit_it_is_given",
        "tests/test_one_gate.py::test_in_the_worker_only_the_run_takes_steps_that_are_not_written_out_as_sql",
        "tests/test_one_gate.py::test_nothing_outside_the_worker_imports_by_a_name_made_at_run_time",
        "tests/test_one_gate.py::test_only_the_executor_and_the_composition_root_know_a_runner",
        "tests/test_one_gate.py::test_only_the_executor_runs_a_runner",
        "tests/test_one_gate.py::test_only_the_launcher_and_the_demo_start_processes",
        "tests/test_one_gate.py::test_only_the_launcher_writes_a_request_to_the_worker",
        "tests/test_one_gate.py::test_only_the_runner_asks_for_a_writable_session",
        "tests/test_one_gate.py::test_only_the_store_runs_migrations_by_alembics_commands",
        "tests/test_one_gate.py::test_only_the_stores_and_the_worker_import_a_database_driver",
        "tests/test_one_gate.py::test_only_the_tool_apply_takes_a_runner_and_hands_it_straight_to_the_executor",
        "tests/tools/test_gate.py::test_a_question_is_answered_once",
        "tests/tools/test_gate.py::test_anything_but_a_yes_gives_no_token_and_is_told_apart",
        "tests/tools/test_gate.py::test_no_token_and_an_invented_one_run_nothing",
        "tests/tools/test_gate.py::test_whatever_changed_since_the_review_makes_the_plan_stale",
        "tests/tools/test_generate.py::test_models_that_changed_since_a_safe_analysis_write_nothing",
    ],
    "C04": [
        "tests/e2e/test_projects.py::test_the_scripted_client_asks_at_the_terminal_and_applies",
    ],
    "C05": [
        "tests/test_house.py::test_it_is_built_on_the_named_libraries",
    ],
    "C06": [
        "tests/test_house.py::test_the_top_level_is_the_cards",
    ],
    "D01": [
        "tests/e2e/test_projects.py::test_an_app_that_migrates_as_it_starts_is_read_without_a_change_and_the_lines_are_named",
        "tests/server/test_runner.py::test_a_run_keeps_the_app_from_migrating_while_it_loads",
        "tests/server/test_worker_readonly.py::test_a_write_by_the_app_is_refused_and_named",
        "tests/server/test_worker_readonly.py::test_an_app_that_upgrades_on_start_changes_nothing_and_is_named",
        "tests/server/test_worker_readonly.py::test_every_way_to_migrate_or_create_is_kept_from_running",
        "tests/server/test_worker_readonly.py::test_mariadb_refuses_what_an_app_writes_while_it_loads",
        "tests/server/test_worker_readonly.py::test_no_way_around_the_reading_connection_to_sqlite",
        "tests/server/worker/test_trace.py::test_nothing_that_a_revision_does_reaches_the_database",
        "tests/server/worker/test_trace.py::test_the_file_of_an_sqlite_database_stays_the_same",
        "tests/server/worker/test_trace.py::test_what_hides_behind_a_query_of_the_catalogue_is_not_passed_on",
    ],
    "D03": [
        "tests/e2e/test_hostile.py::test_application_code_edited_after_the_yes_is_stale",
        "tests/policies/test_plan.py::test_every_difference_is_named",
        "tests/policies/test_plan.py::test_the_digest_changes_when_any_field_changes",
        "tests/server/test_runner.py::test_a_compiled_module_planted_after_the_approval_does_not_run",
        "tests/server/test_runner.py::test_code_that_was_not_approved_does_not_run_in_a_writable_session",
        "tests/server/test_runner.py::test_other_bytes_than_the_approved_ones_do_not_run",
        "tests/server/test_runner.py::test_the_application_runs_as_it_was_when_it_was_approved",
        "tests/server/test_runner.py::test_the_approved_bytes_run_whatever_the_working_tree_holds_now",
        "tests/server/test_store_contract.py::test_files_of_an_older_plan_stay_when_a_path_gets_other_bytes",
        "tests/server/test_store_contract.py::test_sealed_files_are_the_bytes_that_were_kept",
        "tests/server/worker/test_run.py::test_a_revision_that_appeared_after_the_approval_stops_the_run",
        "tests/server/worker/test_run.py::test_an_app_factorys_migrations_run_as_flask_db_upgrade_would",
        "tests/server/worker/test_run.py::test_the_approved_revisions_run_and_every_statement_is_told",
        "tests/server/worker/test_sealed.py::test_a_compiled_file_beside_it_plays_no_part",
        "tests/server/worker/test_sealed.py::test_a_damaged_or_missing_copy_is_refused",
        "tests/server/worker/test_sealed.py::test_a_file_that_was_not_approved_does_not_run",
        "tests/server/worker/test_sealed.py::test_a_traceback_names_the_real_file",
        "tests/server/worker/test_sealed.py::test_data_files_are_read_from_their_approved_bytes",
        "tests/server/worker/test_sealed.py::test_modules_beside_the_revisions_come_from_their_approved_bytes",
        "tests/server/worker/test_sealed.py::test_modules_elsewhere_are_imported_as_ever",
        "tests/server/worker/test_sealed.py::test_other_files_can_be_read_and_written",
        "tests/server/worker/test_sealed.py::test_the_approved_bytes_run_whatever_the_file_says_now",
        "tests/tools/test_gate.py::test_a_count_that_was_zero_and_no_longer_is_makes_the_plan_stale",
        "tests/tools/test_gate.py::test_whatever_changed_since_the_review_makes_the_plan_stale",
    ],
    "D04": [
        "tests/policies/test_decision.py::test_a_protected_environment_is_not_asked_through_a_client_alone",
        "tests/tools/test_gate.py::test_a_protected_database_cannot_be_approved_by_a_form",
        "tests/tools/test_reading.py::test_status_says_who_can_approve",
    ],
    "D07": [
        "tests/policies/test_rules_changes.py::test_a_drop_and_an_add_of_the_same_kind_look_like_a_rename",
    ],
    "D08": [
        "tests/tools/test_apply.py::test_a_run_that_never_answered_is_judged_by_the_database",
        "tests/tools/test_apply.py::test_when_the_database_cannot_be_read_back_the_outcome_is_unknown",
    ],
    "D10": [
        "tests/e2e/test_command_line.py::test_history_prints_a_whole_chain_and_fails_on_a_broken_one",
        "tests/policies/test_audit.py::test_an_altered_entry_is_found",
        "tests/server/test_store_contract.py::test_entries_are_numbered_and_chained",
        "tests/server/test_store_contract.py::test_the_chain_is_whole_when_many_threads_append",
    ],
}
# Written by --write: end

if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        write()
    else:
        sys.stdout.write(table() + "\n")
