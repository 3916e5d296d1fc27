"""The phases of all changes, put together into revision files."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rulezero_tools.safer import helpers
from rulezero_tools.safer.parts import PHASES, Part, Phase
from rulezero_tools.shapes import PhaseFile


@dataclass(frozen=True, kw_only=True)
class Sequenced:
    """A sequence as it is written: its files, and the changes that they make themselves."""

    files: tuple[PhaseFile, ...]
    without: tuple[tuple[str, str], ...]
    told: tuple[str, ...]
    """What each file does, in words."""


def assembled(
    places: Sequence[tuple[str, str]],
    parts: Sequence[Part],
    message: str,
    *,
    without: Sequence[tuple[str, str]],
) -> Sequenced:
    """One file a phase that has something to do."""
    phases: list[Phase] = [p for p in PHASES if any(part.phase == p for part in parts)]
    subjects = [f"{table}.{column}" for table, column in places]
    files = [
        _file(message, subjects, [p for p in parts if p.phase == phase], phase, (n, len(phases)))
        for n, phase in enumerate(phases, start=1)
    ]
    told = tuple(f.message for f in files)
    return Sequenced(files=tuple(files), without=tuple(without), told=told)


def _file(
    message: str, subjects: list[str], parts: list[Part], phase: Phase, at: tuple[int, int]
) -> PhaseFile:
    used = tuple(dict.fromkeys(h for p in parts for h in p.helpers))
    imports = {line for h in used for line in helpers.IMPORTS[h]}
    title = f"{message} ({at[0]} of {at[1]}: {phase})"
    return PhaseFile(
        message=title,
        doc="\n".join((title, "", *_told(parts))),
        upgrade=(
            *(line for p in parts for line in p.first),
            *(line for p in parts for line in p.upgrade),
        ),
        downgrade=tuple(line for p in reversed(parts) for line in p.downgrade) or ("pass",),
        imports=tuple(sorted(imports)),
        end="\n".join((_marker(subjects, parts, phase, at), *_texts(used))),
    )


def _told(parts: list[Part]) -> Iterator[str]:
    lines = [f"- {p.says}." for p in parts]
    needs = [f"- Has to be deployed first: {p.deployed}." for p in parts if p.deployed]
    holds = [
        f"- Has to hold for every row of {table}: {condition}"
        for p in parts
        for table, condition in p.holds
    ]
    for line in (*lines, *needs, *holds):
        yield textwrap.fill(line, 96, subsequent_indent="  ", break_long_words=False)


def _marker(subjects: list[str], parts: list[Part], phase: Phase, at: tuple[int, int]) -> str:
    said = {
        "of": subjects,
        "phase": phase,
        "number": at[0],
        "last": at[1],
        "deployed": [p.deployed for p in parts if p.deployed],
        "holds": [list(h) for p in parts for h in p.holds],
        "triggers": [list(t) for p in parts for t in p.triggers],
    }
    lines = "".join(f"    {name!r}: {value!r},\n" for name, value in said.items())
    return (
        f"# What rulezero looks for before it plans this revision.\nsafer_phase = {{\n{lines}}}\n"
    )


def _texts(used: Sequence[str]) -> Iterator[str]:
    yield from (helpers.CONSTANTS[name] for name in used)
    yield from ("\n" + helpers.TEXTS[name] for name in used)
