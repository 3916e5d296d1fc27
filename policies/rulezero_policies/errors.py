"""Everything that can be refused or go wrong, each with its message and its next step.

An error's docstring is its message, with the facts in braces; `next_step` is what the reader does
now. One family an audience: `ProjectError` is about the user's project, `GateError` about what
the gate refused. Adapters raise only these, chained.
"""

from inspect import cleandoc
from typing import ClassVar


class RulezeroError(Exception):
    """{detail}"""

    next_step: ClassVar[str] = "Read the message, mend the cause, then call `status`."

    def __init__(self, **facts: object) -> None:
        """Fill the message with `facts`; they stay readable in `self.facts`."""
        self.facts = facts
        super().__init__(cleandoc(type(self).__doc__ or type(self).__name__).format(**facts))

    @property
    def code(self) -> str:
        """The error's name, stable, for programs."""
        return type(self).__name__

    @property
    def advice(self) -> str:
        """`next_step` with the facts filled in."""
        return self.next_step.format(**self.facts)


class StillRunning(RulezeroError):
    """`{tool}` is still at work: {doing}. Nothing is wrong, and nothing was changed."""

    next_step = (
        "Wait a little, then call `{tool}` again with the same arguments: it goes on meanwhile, and "
        "that call has its answer. `status` says how far it is."
    )


class ProjectError(RulezeroError):
    """{detail}"""


class NoProject(ProjectError):
    """No Alembic or Flask-Migrate project was found in {root} (looked for alembic.ini, [tool.alembic] in pyproject.toml, and a Flask-Migrate folder with env.py)."""

    next_step = (
        "Start the server with --project DIR, or run `flask db init` / `alembic init` there."
    )


class SeveralProjects(ProjectError):
    """Several migration projects were found in {root}: {found}."""

    next_step = (
        'Say which one: --project DIR, or `config = "PATH"` in rulezero.toml, PATH being one of '
        "those named."
    )


class UnreadableConfig(ProjectError):
    """The configuration file {path} cannot be read: {reason}."""

    next_step = "Mend that file; nothing was read from it and nothing was written."


class UnknownEnvironment(ProjectError):
    """There is no environment called {environment!r}; known: {known}."""

    next_step = "Use one of the known names, or add [environments.{environment}] to rulezero.toml."


class InterpreterMissing(ProjectError):
    """The project's Python {python} ({source}) cannot be started: {reason}."""

    next_step = 'Set `python = "PATH"` in rulezero.toml to the interpreter that runs the project.'


class PackageMissing(ProjectError):
    """The project's Python {python} ({source}) has no package {package!r}."""

    next_step = (
        'Install the project\'s requirements there, or set `python = "PATH"` in rulezero.toml to '
        "the interpreter that has them."
    )


class WorkerTimeout(ProjectError):
    """The project did not answer `{verb}` within {seconds} s and was stopped, with everything it had started."""

    next_step = "Look for what waits while the app loads (network, prompt, lock), then call again."


class WorkerCrashed(ProjectError):
    """The project's process ended during `{verb}` without an answer (exit status {status})."""

    next_step = "Load the app by hand with the same interpreter to see what ends the process."


class ModelSyntaxError(ProjectError):
    """Syntax error in {file}, line {line}: {error}."""

    next_step = "Correct that line, then call again."


class ModelImportError(ProjectError):
    """The project does not import: {error} ({file}, line {line})."""

    next_step = "Install what is missing in the project's interpreter or mend the import."


class AppLoadError(ProjectError):
    """The project failed while it was loaded: {error} ({file}, line {line})."""

    next_step = "Mend the code at that place, then call again."


class AppNotFound(ProjectError):
    """The Flask app could not be found or made: {error}."""

    next_step = 'Set `flask_app = "module:factory"` in rulezero.toml (what FLASK_APP would hold).'


class EnvScriptError(ProjectError):
    """The migration environment failed: {error} ({file}, line {line})."""

    next_step = "Mend env.py (or what it imports) at that place, then call again."


class RevisionScriptError(ProjectError):
    """A revision file does not load: {error} ({file}, line {line})."""

    next_step = "Mend that revision file, then call again."


class NoConnection(ProjectError):
    """The database does not answer: {error} ({database})."""

    next_step = "Start the database or correct its URL in the project's configuration."


class DatabaseNotAtHead(ProjectError):
    """The database is at {current}, the newest revision is {head}: {pending} waiting."""

    next_step = "Call `review` and have what waits applied first, then analyze the models."


class SeveralHeads(ProjectError):
    """The project has several heads: {heads}."""

    next_step = (
        "Go on with one: call again with `branch` set to one of them or to its label; or join them: "
        "`generate` with merge=true writes the merge revision (`alembic merge heads`). Ask the "
        "person which: branches that are kept apart on purpose are not to be merged."
    )


class SeveralDatabases(ProjectError):
    """env.py migrates several databases under one name, so that none of them can be chosen: {databases}."""

    next_step = (
        "Nothing was changed. Give each a name of its own in env.py, as Alembic's multidb template "
        "does: context.run_migrations(engine_name=NAME)."
    )


class ChooseDatabase(ProjectError):
    """This project migrates several databases, and which one is meant was not said: {databases}."""

    next_step = (
        "Call again with `database` set to one of them (`--database` on the command line): each is "
        "reviewed, approved and applied by itself. `status` says where each one stands."
    )


class UnknownDatabase(ProjectError):
    """This project migrates no database called {database!r}; it migrates: {databases}."""

    next_step = "Call again with `database` set to one of those, or without it."


class UnknownBranch(ProjectError):
    """There is no one branch {branch!r}; there are: {heads}."""

    next_step = "Call again with `branch` set to one of those revisions, or to its label."


class ChooseBranch(ProjectError):
    """The database is at several heads, and which one is to be rolled back was not said: {heads}."""

    next_step = "Call again with `branch` set to one of them or to its label; the others stay."


class NoWay(ProjectError):
    """Alembic knows no way from {current} to {to}: {error}."""

    next_step = "Call `status` for the heads and the revisions that exist, and name one of those."


class NothingToMerge(ProjectError):
    """The project has one head ({heads}): there is nothing to merge."""

    next_step = "Call `analyze`, then `generate` without merge, to make a revision."


class NoMigrations(ProjectError):
    """The migration folder {path} does not exist or holds no env.py."""

    next_step = "Create it with `flask db init` or `alembic init`, then call again."


class UnknownRevision(ProjectError):
    """There is no revision {revision!r} in this project (heads: {heads})."""

    next_step = "Call `status` for the revisions that exist."


class UnknownDatabaseRevision(ProjectError):
    """The database is at revision {revision!r}, which this project's files do not hold."""

    next_step = "Bring back that revision file (another branch may hold it), then call again."


class NoChanges(ProjectError):
    """Models and database agree: there is nothing to generate."""

    next_step = "Change the models first; then call `analyze`."


class NothingPending(ProjectError):
    """The database is at {current}; no revision waits to be applied."""

    next_step = "Call `analyze`, then `generate`, to make one."


class MigrationFailed(ProjectError):
    """The migration failed: {error}."""

    next_step = "Read the run's outcome with `get_plan`; mend the revision, then review it again."


class ReadOnlyRefused(ProjectError):
    """The project tried to change the database while it was only being read: {error} ({file}, line {line})."""

    next_step = "Move that write out of the code that runs while the app or env.py is loaded."


class FilesMoved(ProjectError):
    """{path} changed while it was being read. Nothing was planned."""

    next_step = "Call again once nobody edits the migration files."


class NotADraft(ProjectError):
    """Revision {revision} is no draft that could be rewritten: {reason}. Nothing was written."""

    next_step = (
        "Only a revision that waits to be applied is rewritten, in its own file. What is applied is "
        "corrected by another revision: change the models, then call `analyze`."
    )


class GateError(RulezeroError):
    """{detail}"""


class OutOfOrder(GateError):
    """`{step}` was called before `{first}`."""

    next_step = "Call `{first}` first."


class UnknownArchive(GateError):
    """There is no archive {archive!r} in this database: {known}."""

    next_step = "Call `status`: it lists the archives. Nothing else can be purged."


class DiscardRefused(GateError):
    """The revision {revision} cannot be discarded: {reason}. Nothing was changed."""

    next_step = "{mend}"


class UnknownPlan(GateError):
    """There is no plan {plan_id!r}."""

    next_step = "Call `review` (or `rollback`); the plan_id is in its result."


class UnknownAnalysis(GateError):
    """There is no analysis {analysis_id!r} of this project."""

    next_step = "Call `analyze`; the analysis_id is in its result."


class AnalysisStale(GateError):
    """The models or the database moved on since {analysis_id}. Nothing was written."""

    next_step = "Call `analyze` again and go on with its analysis_id."


class UnknownRename(GateError):
    """The models do not want a drop and an add that could be the rename {rename}."""

    next_step = (
        "Name a column that is dropped and one that is added to the same table with a type that "
        "could hold its values ('table.old -> new'), or two tables with columns in common "
        "('old -> new'); or leave `renames` out."
    )


class NoSequence(GateError):
    """No safer sequence can be written for {subject}: {reason}. Nothing was written."""

    next_step = (
        "Tell the person. They can change what stands in the way, or have the one direct revision: "
        "`generate` without `strategy`, which the review then judges as it is."
    )


class PhaseNotReady(GateError):
    """Revision {revision} ({phase}) waits: {reason}. Nothing was planned."""

    next_step = (
        "Apply the revisions before it, or see to what it waits for (its file says what), then "
        "call `review` again."
    )


class PlanExpired(GateError):
    """The plan {plan_id} expired at {expired}."""

    next_step = "Review again: `review` (or `rollback`) makes a fresh plan."


class PlanStale(GateError):
    """The plan {plan_id} no longer fits: {differences}. Nothing was changed."""

    next_step = "Review again: call `review` (or `rollback`) and have the new plan confirmed."


class NotForThisTool(GateError):
    """The plan {plan_id} is a {kind} plan; `{tool}` does not carry it out."""

    next_step = "Call `{right_tool}` with it."


class NothingHalfDone(GateError):
    """No run of plan {plan_id!r} stands half done on this database: {reason}."""

    next_step = "Call `status` for what stands there, then `review`."


class NoWayOn(GateError):
    """The run of plan {plan_id} cannot be {way} by a plan: {reason}."""

    next_step = (
        "Show the person what is committed and the steps by hand: `get_plan` with plan_id {plan_id} "
        "and section 'run'."
    )


class TokenRefused(GateError):
    """{reason} Nothing was changed."""

    next_step = "Call `confirm` with the plan_id: a person has to approve this plan."


class BackupFailed(GateError):
    """The backup that belongs to this plan could not be made: {reason}. Nothing was changed, and the token is not spent."""

    next_step = (
        "{mend} Then call `apply` again with the same token; or `review`, for a plan that says what "
        "backup can be made now."
    )


class BackupUnusable(GateError):
    """This backup cannot be restored: {reason}. Nothing was changed."""

    next_step = "{mend}"


class MigrationRunning(GateError):
    """Another migration run holds the lock of {database}. Nothing was changed, and the token is not spent."""

    next_step = "Wait until that run has ended (`status` tells), then call `apply` again."


class NoChannel(GateError):
    """Nobody can be asked here: {reason}."""

    next_step = "{how}"


class Declined(GateError):
    """The person said no to plan {plan_id}. Nothing was changed."""

    next_step = "Do not ask again unless the person wants to; change the migration or leave it."


class NotPresented(GateError):
    """The question for plan {plan_id} was closed without an answer; it may never have been shown to a person."""

    next_step = (
        "Ask the person whether they saw the question; call `confirm` again if they want it."
    )


class QuestionExpired(GateError):
    """The person was shown plan {plan_id} and did not answer before {expired}. Nothing was changed."""

    next_step = "Call `confirm` again once the person is there to answer."


class LockedOut(GateError):
    """Too many wrong PINs: {person} is locked out until {until}. Nothing was changed."""

    next_step = "Tell the person; after that time `confirm` asks again. A passkey is not locked."


class WrongPin(GateError):
    """That is not the PIN; {then}."""

    next_step = "Type the PIN again. A forgotten PIN cannot be read back (docs/security.md)."


class WeakPin(GateError):
    """This PIN is too easy to guess: {reason}."""

    next_step = "Choose at least six characters that are neither one repeated nor a sequence."


class NotEnrolled(GateError):
    """{person} has no {what} yet."""

    next_step = "Run `rulezero enroll` in a terminal of your own."


class PasskeyRefused(GateError):
    """The passkey does not approve this: {reason}. Nothing was changed."""

    next_step = "Use a passkey that is enrolled here, on the page as rulezero opened it."


class PolicyLoosened(ProjectError):
    """{path} would loosen the policy, which a project may only tighten: {what}."""

    next_step = (
        "Remove that from {path}. What the policy allows is decided in the user's own policy.toml."
    )


class FileRefused(ProjectError):
    """The file {path} is left alone: {reason}. Nothing was written."""

    next_step = (
        "Show this to the person, who sees to that file by hand; then call `check_parity` again."
    )


class ParityRefused(ProjectError):
    """No settings file is planned to be changed: {reason}."""

    next_step = "{mend}"


class AnswerRefused(GateError):
    """The answer for plan {plan_id} does not approve it: {reason}. Nothing was changed."""

    next_step = "Call `confirm` again; the person has to answer the question as it is asked."


class StoreFailed(RulezeroError):
    """rulezero's own store, where plans and approvals are kept, failed: {reason}."""

    next_step = (
        "Nothing runs while nothing can be remembered. See to the store (disk, permissions, the "
        "server behind its URL), then call `status`."
    )


PROJECT_ERRORS: dict[str, type[ProjectError]] = {
    error.__name__: error for error in ProjectError.__subclasses__()
}
"""Every error the worker may answer with, by name."""
