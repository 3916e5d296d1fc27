"""Comments that ask to set a finding aside, and the steps that they are about."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from typing import Any

_COMMENT = re.compile(
    r"#\s*rulezero:\s*ignore\[(?P<rules>[a-z0-9, -]+)\][\s:\u2013-]*(?P<reason>.*)", re.IGNORECASE
)


def ignores(source: bytes, module: ast.Module) -> list[dict[str, Any]]:
    """What `# rulezero: ignore[rule, rule] reason` asks for.

    A comment stands on a line of its step, or on a line of its own right above it.

    Args:
        source: The revision file, as it is.
        module: The same, parsed.

    Returns:
        One dict a rule, shaped as `suppression.Ignore`.
    """
    steps: list[Any] = [n for n in ast.walk(module) if _is_step(n)]
    places: list[tuple[int, int]] = [(n.lineno, n.end_lineno or n.lineno) for n in steps]
    lines = source.decode("utf-8", "replace").splitlines()
    return [
        {"rule": rule.strip().lower(), "reason": found["reason"].strip(), "first": a, "last": b}
        for line, found in _comments(source)
        for a, b in [_step(places, lines, line)]
        for rule in found["rules"].split(",")
        if rule.strip()
    ]


def _is_step(node: ast.AST) -> bool:
    """A statement that is one step, not a block of them."""
    return isinstance(node, ast.stmt) and not hasattr(node, "body")


def _step(places: list[tuple[int, int]], lines: list[str], line: int) -> tuple[int, int]:
    """The lines of the step that a comment on `line` is about."""
    while True:
        found = next(((a, b) for a, b in places if a <= line <= b), None)
        if found is not None:
            return found
        if line >= len(lines) or not lines[line - 1].lstrip().startswith("#"):
            return (line, line)
        line += 1


def _comments(source: bytes) -> Iterator[tuple[int, re.Match[str]]]:
    """The line of each such comment, and what it says."""
    for token in tokenize.tokenize(io.BytesIO(source).readline):
        found = _COMMENT.match(token.string) if token.type == tokenize.COMMENT else None
        if found:
            yield token.start[0], found
