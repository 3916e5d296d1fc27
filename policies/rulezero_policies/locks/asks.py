"""What the rules about locks ask of the live database."""

from collections.abc import Iterator

from rulezero_policies.findings import Question
from rulezero_policies.locks import mariadb, postgresql
from rulezero_policies.steps import Step


def questions(step: Step, dialect: str) -> Iterator[Question]:
    """The size of a table that is locked, and who may stand in the way."""
    operation = step.operation
    if dialect == "postgresql":
        cost = postgresql.cost(operation)
        if cost is None:
            return
        yield Question(probe="oldest_transaction")
        if operation.index and operation.index.concurrently and operation.index.if_exists:
            yield Question(probe="invalid_indexes", table=step.table or "", schema=step.schema)
    elif dialect not in {"mysql", "mariadb"} or mariadb.cost(operation) is None:
        return
    else:
        yield Question(probe="oldest_transaction")
    yield Question(probe="size", table=step.table or "", schema=step.schema)
    key = operation.constraint
    if key is not None and key.referred_table:
        yield Question(probe="size", table=key.referred_table, schema=key.referred_schema)
