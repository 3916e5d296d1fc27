"""Every key that a service's code reads: where, and whether it can do without."""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from rulezero_policies.parity import needs_flask, needs_python, needs_script, needs_settings
from rulezero_policies.parity.needs_settings import Field
from rulezero_policies.parity.program import Program
from rulezero_policies.parity.reads import Read, default_state, required
from rulezero_policies.parity.values import Need
from rulezero_policies.references import Sources


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What the code of one service reads.

    `patterns` are readings whose key is only known in part until the code runs: `*` stands for the
    rest, and a key that fits one may be read. `unread` are files that could not be looked into.
    """

    needs: tuple[Need, ...] = ()
    patterns: tuple[Need, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def every(self) -> tuple[Need, ...]:
        """The needs and the patterns."""
        return (*self.needs, *self.patterns)


@dataclass(frozen=True, kw_only=True)
class Code:
    """A service's code, read: its files, the places that read a key, the fields of settings."""

    service: str
    program: Program
    seen: tuple[Need, ...] = ()
    """What was read by the look of it alone: scripts, and Python that cannot be parsed."""
    reads: tuple[Read, ...] = ()
    fields: tuple[Field, ...] = ()


def looked_into(service: str, sources: Sources) -> Code:
    """Read the code of `service`."""
    program = Program(sources)
    own = [s for s in sources.files if _is_script(s.path)]
    built = {s.path: needs_script.built_in(s) for s in own}
    names = frozenset(n for held in built.values() for n in held)
    scripts = (
        n
        for s in own
        for n in needs_script.needs(s, service)
        if n.key not in names or built[s.path]
    )
    words = (n for s in program.unread for n in needs_python.by_words(s, service))
    return Code(
        service=service,
        program=program,
        seen=(*scripts, *words),
        reads=(*needs_python.read(program), *needs_flask.read(program)),
        fields=needs_settings.fields(program, service),
    )


def _is_script(path: str) -> bool:
    return path.endswith(needs_script.SUFFIXES) and not needs_script.is_test(path)


def reading(code: Code) -> Reading:
    """What `code` needs, each place once, in order."""
    given = _given(code.reads)
    others = _others(code.reads)
    found = [n for r in code.reads for n in _needs(code, r, given, others.get(id(r.node), ()))]
    found += [n for f in code.fields for n in f.needs]
    found += code.seen
    order = sorted(dict.fromkeys(found), key=lambda n: (n.path, n.line, n.key))
    return Reading(
        needs=tuple(n for n in order if "*" not in n.key),
        patterns=tuple(n for n in order if "*" in n.key),
        unread=tuple(s.path for s in code.program.unread),
    )


def read(service: str, sources: Sources) -> Reading:
    """What the code of `service` in `sources` needs."""
    return reading(looked_into(service, sources))


def _needs(
    code: Code, read: Read, given: frozenset[str], others: tuple[str, ...]
) -> Iterator[Need]:
    for text in read.texts:
        strict = text.whole and text.value not in given and required(code.program, read, text.value)
        yield Need(
            key=text.value if text.whole else _starred(text.value),
            service=code.service,
            path=read.file.path,
            line=read.node.lineno,
            required=strict,
            how=read.how,
            default=default_state(read),
            scope=read.file.scope_name(read.node),
            instead=tuple(o for o in others if o != text.value),
        )


def _starred(value: str) -> str:
    return re.sub(r"\*+", "*", value if "*" in value else f"{value}*")


def keys(reads: Iterable[Read]) -> Iterator[str]:
    """The keys that are known to be read."""
    yield from (t.value for r in reads for t in r.texts if t.whole)


def _given(reads: tuple[Read, ...]) -> frozenset[str]:
    """Keys that the code gives a value itself before it reads them."""
    return frozenset(keys(r for r in reads if r.how.endswith(".setdefault")))


def _others(reads: tuple[Read, ...]) -> dict[int, tuple[str, ...]]:
    """For a reading in `A or B`: the keys of all that are asked in turn."""
    found: dict[int, tuple[str, ...]] = {}
    by_node = {id(r.node): r for r in reads}
    for file in {id(r.file): r.file for r in reads}.values():
        for node in file.nodes:
            if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
                mine = [by_node[id(v)] for v in node.values if id(v) in by_node]
                found |= {id(r.node): tuple(keys(mine)) for r in mine}
    return found


def merged(readings: Iterable[Reading]) -> Reading:
    """Several services' readings as one."""
    every = tuple(readings)
    return replace(
        Reading(),
        needs=tuple(n for r in every for n in r.needs),
        patterns=tuple(n for r in every for n in r.patterns),
        unread=tuple(u for r in every for u in r.unread),
    )
