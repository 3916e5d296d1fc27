"""Several heads joined: the merge revision, which changes nothing by itself."""

from rulezero_tools import databases, graph
from rulezero_tools.planning import record
from rulezero_tools.ports import Session, loads_once
from rulezero_tools.results import GenerateResult


@loads_once
def merge(session: Session, *, message: str) -> GenerateResult:
    """Do what `alembic merge heads -m` / `flask db merge heads -m` does.

    It writes a draft of a file, as `generate` does: nothing of a database changes before a person
    approves the upgrade to it.

    Args:
        session: The project, the store and the caller.
        message: The revision's message.

    Raises:
        NothingToMerge: There is one head, or none.
        ProjectError: The project cannot be read, or the file cannot be written.
    """
    session, seen, _ = databases.chosen(session)
    made = session.project.merge(message)
    joined = graph.named_heads(seen)
    record(session, "generated", None, f"{made.revision} in {made.path}, a merge of {joined}")
    return GenerateResult(
        status="written",
        revision=made.revision,
        path=made.path,
        warning=made.note,
        next_step=f"Show the path: it merges {joined}. Nothing was applied. Call `review` with "
        f"revision {made.revision}.",
    )
