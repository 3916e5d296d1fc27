"""Looking through the project's files for what goes away: each file once, by what it is."""

import ast
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator

from rulezero_policies.references import (
    Confidence,
    ModelClass,
    Reference,
    References,
    SourceFile,
    Sources,
    Target,
    ranked,
)
from rulezero_policies.usage_python import PythonUses

TEMPLATES = (".html", ".htm", ".jinja", ".jinja2", ".j2", ".xml", ".txt")

PARSED = 1_500_000
"""Characters of Python that are parsed; what is beyond is looked at by its words alone."""

_BLOCK = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)

_LOOP = re.compile(r"\{%-?\s*for\s+(\w+)\s+in\s+([\w.]+)")

_RECEIVER = re.compile(r"(\w+)(?:\(\)|\[[^\]\n]*\])?$")

_SQL_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)


def find(
    targets: tuple[Target, ...], sources: Sources, models: Iterable[ModelClass] = ()
) -> References:
    """Where `sources` use `targets`; `models` are all classes of the project."""
    classes = tuple(models)
    found: list[Reference] = []
    budget = PARSED if targets else 0
    for source in sources.files if targets else ():
        wanted = tuple(t for t in targets if any(w in source.text for w in t.words))
        if not wanted:
            continue
        if not source.path.endswith(".py"):
            found.extend(_text(source, wanted))
            continue
        owned = tuple(t for t in wanted if any(w in source.text for w in t.owners))
        budget -= len(source.text) if owned else 0
        tree = _parsed(source.text) if owned and budget > 0 else None
        if tree is not None:
            found.extend(PythonUses(source.path, owned, classes).read(tree))
        rest = wanted if tree is None else tuple(t for t in wanted if t not in owned)
        found.extend(_python_words(source, rest))
    return ranked(found, sources)


def _parsed(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None


def _python_words(source: SourceFile, targets: tuple[Target, ...]) -> Iterator[Reference]:
    """Uses by the look of a line: all that can be said without reading the file as Python."""
    for target in targets:
        for at, receiver, how in _accesses(source.text, target):
            line_start = source.text.rfind("\n", 0, at) + 1
            if "#" not in source.text[line_start:at]:
                yield _seen(source, target, at, _by_name(receiver, target), how)


def _accesses(text: str, target: Target) -> Iterator[tuple[int, str, str]]:
    """Where `text` asks anything for one of the attributes: place, of what, and both as written."""
    if target.column is None or not target.attributes:
        return
    words = "|".join(map(re.escape, sorted(target.attributes)))
    for match in re.finditer(rf"\.(?:{words})\b", text):
        # Looking back from the few hits is much faster than matching every word before them.
        before = _RECEIVER.search(text[max(0, match.start() - 60) : match.start()])
        if before:
            yield match.start(), before[1], before[0] + match[0]


def _by_name(receiver: str, target: Target) -> Confidence:
    return "likely" if resembles(receiver, target) else "possible"


def resembles(receiver: str, target: Target) -> bool:
    """Whether a variable is called like a row of the target's table."""
    name = receiver.lower()
    return any(name == n or name.endswith(f"_{n}") for n in target.nicknames)


def _text(source: SourceFile, targets: tuple[Target, ...]) -> Iterator[Reference]:
    if source.path.endswith(".sql"):
        for target in targets:
            yield from _sql(source, target)
    elif source.path.endswith(TEMPLATES):
        loops = dict(_LOOP.findall(source.text))
        blocks = [(m.start(), m[0]) for m in _BLOCK.finditer(source.text)]
        for target in targets:
            yield from _template(source, target, blocks, loops)


def _template(
    source: SourceFile, target: Target, blocks: list[tuple[int, str]], loops: dict[str, str]
) -> Iterator[Reference]:
    for start, block in blocks:
        for at, receiver, how in _accesses(block, target):
            holder = loops.get(receiver, receiver).rpartition(".")[2]
            sure = _by_name(receiver if resembles(receiver, target) else holder, target)
            yield _seen(source, target, start + at, sure, how)


def _sql(source: SourceFile, target: Target) -> Iterator[Reference]:
    text = _SQL_COMMENT.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), source.text)
    start = 0
    for statement in text.split(";"):
        yield from _statement(source, target, statement, start)
        start += len(statement) + 1


def _statement(
    source: SourceFile, target: Target, statement: str, start: int
) -> Iterator[Reference]:
    word = target.column or target.table
    spots = [m.start() for m in re.finditer(rf"\b{re.escape(word)}\b", statement)]
    owned = re.search(rf"\b{re.escape(target.table)}\b", statement) is not None
    for spot in spots:
        yield _seen(source, target, start + spot, "certain" if owned else "possible", "SQL")


def _seen(
    source: SourceFile, target: Target, at: int, confidence: Confidence, how: str
) -> Reference:
    return Reference(
        subject=target.subject,
        path=source.path,
        line=bisect_left(source.breaks, at) + 1,
        confidence=confidence,
        how=" ".join(how.split()),
    )
