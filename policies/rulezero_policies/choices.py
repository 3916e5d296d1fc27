"""Which drops and adds are renames: what a person is asked of each, and what they chose.

Each is asked about by itself and answered either way: nothing is decided beforehand, and nothing by
being left out. A rename that is overlooked deletes data, and a rename that is none gives old values
a new meaning; so that neither answer may be the one that comes about by itself. What the client
names as a rename is put to the person like the others, and said to be named by it.
"""

from collections.abc import Mapping, Sequence

from rulezero_policies.renames import BAR, RenameCandidate
from rulezero_policies.text import visible

KEY = "rename_"
"""How the names of the fields begin that hold the answers."""


def keyed(candidates: Sequence[RenameCandidate]) -> Mapping[str, RenameCandidate]:
    """The candidates by the key under which their answers come."""
    return {f"{KEY}{n}": candidate for n, candidate in enumerate(candidates, start=1)}


def missing(candidates: Sequence[RenameCandidate], decided: Mapping[str, bool]) -> str | None:
    """What is wrong with an answer; None where nothing is."""
    for key, candidate in keyed(candidates).items():
        if not isinstance(decided.get(key), bool):
            return f"it does not say whether {visible(candidate.rename.id)} is a rename"
    renames = [c.rename for key, c in keyed(candidates).items() if decided[key]]
    clashes = ((a, b) for n, a in enumerate(renames) for b in renames[n + 1 :] if a.clashes(b))
    for one, other in clashes:
        return f"{visible(one.id)} and {visible(other.id)} cannot both be renames"
    return None


def chosen(candidates: Sequence[RenameCandidate], decided: Mapping[str, bool]) -> tuple[str, ...]:
    """The ids of what the person called renames, in the order in which they were asked."""
    found = keyed(candidates).items()
    return tuple(candidate.rename.id for key, candidate in found if decided.get(key) is True)


def question(candidate: RenameCandidate) -> str:
    """What is asked."""
    rename = candidate.rename
    return visible(f"Is {rename.new} the new name of {rename.subject}?")


def outcome(candidate: RenameCandidate, *, renamed: bool) -> str:
    """What each answer leads to."""
    rename = candidate.rename
    becomes = f"renamed to {rename.new}" if renamed else "dropped"
    return visible(f"{rename.subject} is {becomes} with {candidate.held}")


def reasons(candidate: RenameCandidate) -> tuple[str, ...]:
    """What speaks for and against it, and how clearly, a line each."""
    bar = f", below the {BAR} from which one is proposed" if candidate.score < BAR else ""
    evidence = (("For it", candidate.evidence), ("Against it", candidate.against))
    notes = {
        "The assistant asked for this rename.": candidate.named,
        "Another candidate is about as likely.": candidate.ambiguous,
    }
    return (
        f"Likeness {candidate.score} of 100{bar}.",
        *(visible(f"{title}: {', '.join(how)}.") for title, how in evidence if how),
        *(note for note, holds in notes.items() if holds),
    )


def text(candidates: Sequence[RenameCandidate]) -> tuple[str, ...]:
    """All of it in a paragraph, where a person reads before they answer; empty without any."""
    if not candidates:
        return ()
    lines = ["A rename keeps the data, a drop deletes it. Which is it, for each?"]
    for number, candidate in enumerate(candidates, start=1):
        lines += (
            f"{number}. {question(candidate)}",
            f"   Yes: {outcome(candidate, renamed=True)}.",
            f"   No: {outcome(candidate, renamed=False)}.",
            f"   {' '.join(reasons(candidate))}",
        )
    return ("\n".join(lines),)


def outcomes(candidates: Sequence[RenameCandidate], ids: Sequence[str]) -> tuple[str, ...]:
    """What was chosen, a line each."""
    return tuple(outcome(c, renamed=c.rename.id in ids) for c in candidates)
