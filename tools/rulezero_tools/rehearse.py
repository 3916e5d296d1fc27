"""What waits is tried on a shadow before anybody is asked; and what that showed, as text."""

from rulezero_policies.rehearsal import Judged


def text(judged: Judged | None) -> str:
    """All that a plan keeps of its rehearsal."""
    if judged is None:
        return "Nothing was rehearsed."
    return f"Not rehearsed: {judged.reason}. {judged.mend}" if judged.reason else "Rehearsed."
