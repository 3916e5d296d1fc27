"""What a function uses, itself and through what it calls: keys, tables and columns."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rulezero_policies.parity.pyfile import Function, PyFile
from rulezero_policies.parity.walked import Walked
from rulezero_policies.references import ModelClass, Reference, Target
from rulezero_policies.usage_python import PythonUses

_DEPTH = 2
"""Calls that are followed: what the function calls, and what that calls."""

_Part = tuple[PyFile, ast.AST]


@dataclass(frozen=True, kw_only=True)
class Reached:
    """What one function, route, command or class uses.

    `whole` are the tables of which it reads rows of a mapped class: every mapped column is
    selected then. `columns` are pairs of table and column that it names.
    """

    keys: frozenset[str]
    whole: frozenset[str]
    tables: frozenset[str]
    columns: frozenset[tuple[str, str]]
    paths: frozenset[str]


def reached(code: Walked, start: _Part, models: Iterable[ModelClass]) -> Reached:
    """What `start` uses."""
    parts = list(_parts(code, start))
    keys = frozenset(k for file, node in parts for k in code.carriers.of(file, node).keys)
    known = tuple(models)
    texts = {s.path: s.text for s in code.sources.files}
    files = {file.path: file for file, _ in parts}
    every = {path: used(file, texts[path], known) for path, file in files.items()}
    uses = [u for file, node in parts for u in _within(every[file.path], node)]
    pairs = frozenset((t, c) for t, c, _ in uses if c is not None)
    return Reached(
        keys=keys,
        whole=frozenset(t for t, c, u in uses if c is None and not u.how.startswith(("SQL", "'"))),
        tables=frozenset(t for t, _, _ in uses),
        columns=pairs,
        paths=frozenset(file.path for file, _ in parts),
    )


def _parts(code: Walked, start: _Part) -> Iterator[_Part]:
    """The function itself, and what it calls or hands on, as far as that is the service's own."""
    seen: set[int] = set()
    edge = [start]
    for _ in range(_DEPTH + 1):
        fresh = [p for p in edge if id(p[1]) not in seen]
        seen |= {id(node) for _, node in fresh}
        yield from {id(p[1]): p for p in fresh}.values()
        edge = [c for file, node in fresh for c in _called(code, file, node)]


def _called(code: Walked, file: PyFile, node: ast.AST) -> Iterator[_Part]:
    for one in ast.walk(node):
        if isinstance(one, ast.Name | ast.Attribute):
            known = code.code.program.called(file, one)
            if known is not None and isinstance(known[1], ast.ClassDef):
                yield from _made(known[0], known[1])
            elif known is not None:
                yield known


def _made(file: PyFile, node: ast.ClassDef) -> Iterator[_Part]:
    """What runs where an object of a class is made."""
    for name in ("__init__", "__post_init__", "__call__"):
        yield from ((file, b) for b in file.inside(node).get(name, ()) if isinstance(b, Function))


_Use = tuple[str, str | None, Reference]


def _within(uses: Iterable[_Use], node: ast.AST) -> Iterator[_Use]:
    """Uses of tables and columns between a function's lines."""
    first, last = getattr(node, "lineno", 1), getattr(node, "end_lineno", None) or 1
    for use in uses:
        if first <= use[2].line <= last and use[2].confidence != "possible":
            yield use


def targets(models: Iterable[ModelClass]) -> Iterator[tuple[str, str | None, Target]]:
    """Every table and column that classes map, as what is looked for."""
    for model in models:
        names = frozenset({model.name})
        table = Target(subject=model.table, table=model.table, models=names, mapped=True)
        yield model.table, None, table
        for attribute, column in model.attributes:
            subject = f"{model.table}.{column}"
            yield (
                model.table,
                column,
                Target(
                    subject=subject,
                    table=model.table,
                    column=column,
                    attributes=frozenset({attribute}),
                    models=names,
                    mapped=True,
                ),
            )


def used(file: PyFile, text: str, models: tuple[ModelClass, ...]) -> tuple[_Use, ...]:
    """Everything that a file uses of the tables that `models` map."""
    wanted = [
        (t, c, target)
        for t, c, target in targets(models)
        if any(w in text for w in target.owners) and any(w in text for w in target.words)
    ]
    by_subject = {target.subject: (t, c) for t, c, target in wanted}
    found = PythonUses(file.path, tuple(t for _, _, t in wanted), models).read(file.tree)
    return tuple((*by_subject[r.subject], r) for r in found)
