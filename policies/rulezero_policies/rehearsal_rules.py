"""What a rehearsal can show to be wrong: the rules that need a database to be run against."""

from dataclasses import dataclass

from rulezero_policies.findings import Outcome, Severity
from rulezero_policies.rules.rule import ALL, SQLITE, revision


@dataclass(frozen=True, kw_only=True)
class RehearsalRule:
    """One thing that a rehearsal shows. The words live here; `rehearsed` says where it applies.

    `fix` is a template over `subject` and what the finding names. A rehearsal shows it of `bad`, a
    whole revision file, on the first of `databases`, with the rows that `needs` speaks of.
    """

    id: str
    severity: Severity
    outcome: Outcome
    title: str
    why: str
    fix: str
    bad: str
    needs: str = ""
    databases: tuple[str, ...] = ALL
    source: str = "seen in rehearsals on PostgreSQL 18, MariaDB 10.11 and SQLite 3.40"


_ADD = "op.add_column('users', sa.Column('nick', sa.String(50), nullable=True))"
_DROP = "op.drop_column('users', 'nick')"

REHEARSAL_RULES: tuple[RehearsalRule, ...] = (
    RehearsalRule(
        id="upgrade-fails",
        severity="CRITICAL",
        outcome="will_fail",
        title="The upgrade failed in the rehearsal",
        why="It was run on a shadow of the database and did not come to its end. Rows that were "
        "there, or the schema as it is, stand against the statement: on the target it fails alike. "
        "What was committed before the statement stays, where the database or an autocommit block "
        "commits each statement by itself. With made-up rows a failure over values says only that "
        "it can fail.",
        fix="Correct {place}, or the rows that are in its way in a revision before it, and call "
        "review again. {undo}",
        bad=revision(
            "op.alter_column('users', 'email', existing_type=sa.String(255), nullable=False)",
            "op.alter_column('users', 'email', existing_type=sa.String(255), nullable=True)",
        ),
        needs="a user without an email",
    ),
    RehearsalRule(
        id="downgrade-fails",
        severity="CRITICAL",
        outcome="will_fail",
        title="The downgrade failed in the rehearsal",
        why="Right after the upgrade, with nothing changed in between, the way back was tried and "
        "did not come to its end. In an emergency there would be none; on a database that commits "
        "each statement by itself, half of it would be done. A downgrade that refuses on purpose "
        "is a WARNING.",
        fix="Correct {place}: downgrade() has to undo upgrade() in the opposite order, and to give "
        "values to what becomes NOT NULL again. {undo}",
        bad=revision(_ADD, "op.drop_column('users', 'nickname')"),
    ),
    RehearsalRule(
        id="downgrade-differs",
        severity="WARNING",
        outcome="design",
        title="The downgrade does not restore the schema",
        why="The catalogue was read before the upgrade and after the downgrade: they differ. What "
        "is missing or left over makes the next upgrade fail, or parts models and database "
        "unnoticed. A column that PostgreSQL or SQLite can only add at the end is shown, and is no "
        "finding; MySQL and MariaDB can put it in its place.",
        fix="Have downgrade() bring this back to what it was: {restore}.",
        bad=revision(f"{_ADD}\nop.create_index('ix_users_email', 'users', ['email'])", _DROP),
    ),
    RehearsalRule(
        id="upgrade-loses-data",
        severity="CRITICAL",
        outcome="loses_data",
        title="The upgrade loses rows or values that it does not say it deletes",
        why="Rows were compared before and after. Those that are gone were deleted by no statement "
        "of the revision: a foreign key with ON DELETE took them when the table they refer to was "
        "copied or emptied, a trigger did, or a copy left them out.",
        fix="Back up first. On SQLite turn enforcement off outside any transaction before the "
        "batch block (PRAGMA foreign_keys=OFF in env.py); elsewhere move the rows of {subject} to "
        "where they are kept before the rows they refer to are deleted.",
        bad=revision(
            "with op.batch_alter_table('users') as batch_op:\n"
            "    batch_op.alter_column('name', existing_type=sa.String(50), nullable=False)",
            "with op.batch_alter_table('users') as batch_op:\n"
            "    batch_op.alter_column('name', existing_type=sa.String(50), nullable=True)",
        ),
        needs="a table that refers to users with ON DELETE CASCADE, and PRAGMA foreign_keys=ON",
        databases=("sqlite", "postgresql", "mysql"),
    ),
    RehearsalRule(
        id="downgrade-loses-data",
        severity="CRITICAL",
        outcome="loses_data",
        title="The downgrade loses data that the upgrade had kept",
        why="After the upgrade the rows were all there, and after the way back they are not. What "
        "the upgrade drops no downgrade can bring back, and that is told where it is dropped; this "
        "was lost without need.",
        fix="Back up first. Make downgrade() touch nothing of {subject} that the upgrade left as "
        "it was; on SQLite turn foreign_keys off on the migration's connection before the batch "
        "block.",
        bad=revision(_ADD, f"op.execute(sa.delete(sa.table('users')))\n{_DROP}"),
        needs="any rows at all",
    ),
    RehearsalRule(
        id="not-repeatable",
        severity="WARNING",
        outcome="will_fail",
        title="After a rollback the upgrade does not run again, or does something else",
        why="Up, down and up again is what a failed release and its second try look like. The "
        "second upgrade failed, or made another schema than the first: something of the first one "
        "was left behind, as an enum type is on PostgreSQL.",
        fix="Make downgrade() remove everything that upgrade() makes, types included: "
        "sa.Enum(name='...').drop(op.get_bind()). {undo}",
        bad=revision(
            "op.create_table('jobs', sa.Column('id', sa.Integer(), primary_key=True),\n"
            "    sa.Column('state', sa.Enum('open', 'done', name='state')))",
            "op.drop_table('jobs')",
        ),
        databases=("postgresql", "mysql", "sqlite"),
    ),
    RehearsalRule(
        id="runs-twice",
        severity="WARNING",
        outcome="design",
        title="An upgrade sends statements when there is nothing left to do",
        why="At the head, `upgrade` has nothing to run. Here it sent statements all the same, so "
        "they come from env.py or from the application while it loads, and run with every deploy.",
        fix="Move what {subject} sends into a revision.",
        bad='# env.py\nconnection.execute(text("UPDATE settings SET version = version + 1"))\n',
    ),
    RehearsalRule(
        id="models-differ",
        severity="WARNING",
        outcome="design",
        title="Models and database still differ in what the plan changed",
        why="The application expects what the models say. What the revision was meant to bring and "
        "did not, fails when it is first used; the next autogenerate writes it into a revision "
        "that is about something else.",
        fix="Bring into this revision what is missing, or correct the model: {remaining}.",
        bad=revision(
            "op.add_column('users', sa.Column('nick', sa.String(20), nullable=True))", _DROP
        ),
        needs="a model that says String(50)",
    ),
    RehearsalRule(
        id="rows-unreadable",
        severity="CRITICAL",
        outcome="design",
        title="Rows that were there can no longer be read through the models",
        why="A few old rows of every mapped class were loaded after the upgrade. These could not "
        "be: a value that the model's type does not know, as an enum label, raises for every row "
        "that has it.",
        fix="Convert the old values in the revision, before the application reads {subject}.",
        bad=revision(
            "op.execute(\"UPDATE jobs SET state = 'finished' WHERE state = 'done'\")",
            "op.execute(\"UPDATE jobs SET state = 'done' WHERE state = 'finished'\")",
        ),
        needs="a model whose enum has no label 'finished'",
    ),
    RehearsalRule(
        id="integrity-worse",
        severity="CRITICAL",
        outcome="design",
        title="Integrity or foreign key check find more than before",
        why="SQLite was asked for PRAGMA foreign_key_check and integrity_check before and after. "
        "Rows that refer to nothing stay unseen until something updates them, and then fail.",
        fix="Correct the rows of {subject} in the revision, or delete those whose parent is gone.",
        bad=revision("op.execute('DELETE FROM users WHERE id = 1')", "pass"),
        needs="rows that refer to that user, and foreign_keys off",
        databases=SQLITE,
    ),
    RehearsalRule(
        id="reaches-out-when-run",
        severity="CRITICAL",
        outcome="unknown",
        title="While it ran, it reached for something else than its database",
        why="A program was to be started, or a connection to be opened to another place than the "
        "shadow. It was refused, so what it would have done is not known; on the target nothing "
        "refuses it.",
        fix="Remove it: a migration changes its own database, through op.*, and nothing else.",
        bad=revision("import subprocess\nsubprocess.run(['systemctl', 'restart', 'app'])", "pass"),
    ),
    RehearsalRule(
        id="rehearsal-cut-off",
        severity="WARNING",
        outcome="unknown",
        title="A limit ended the rehearsal before it had shown everything",
        why="What was not shown is unknown, never safe. The limits are the person's own, in "
        "policy.toml under [rehearsal].",
        fix="Raise what stopped it in [rehearsal] of policy.toml (seconds, megabytes, rows), or "
        "rehearse the rest by hand on a copy.",
        bad=revision("op.execute('SELECT pg_sleep(3600)')", "pass"),
        needs="a statement that takes longer than the limit",
    ),
)
