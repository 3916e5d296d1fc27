"""Results for programs: JSON, SARIF 2.1.0 and GitHub's workflow commands, on stdout alone."""

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rulezero_policies.audit import Entry
from rulezero_policies.findings import Finding
from rulezero_policies.plan import canonical
from rulezero_server import __version__
from rulezero_tools.results import ReviewResult

_LEVELS = {"CRITICAL": "error", "WARNING": "warning"}


def write_json(*results: Any, single: bool = True) -> None:
    """One result as JSON; with `single` false, an array of them."""
    plain = [asdict(result) for result in results]
    text = json.dumps(plain[0] if single else plain, indent=2, ensure_ascii=False)
    sys.stdout.write(text + "\n")


def write_trail(entries: Iterable[Entry], target: str) -> None:
    """The audit trail as JSON lines, in the form that its hashes are taken of.

    Args:
        entries: The whole trail, in order.
        target: A file, or "-" for stdout.

    Raises:
        OSError: The file cannot be written.
    """
    text = "".join(f"{canonical(entry)}\n" for entry in entries)
    if target == "-":
        sys.stdout.write(text)
        return
    Path(target).write_text(text, encoding="ascii", newline="\n")


def write_reviews(style: str, results: Sequence[ReviewResult], *, single: bool) -> None:
    """Reviews in `style`; a single one as an object, several as an array."""
    if style == "json":
        write_json(*results, single=single)
        return
    _write_placed(style, [(f, r.path) for r in results for f in r.findings])


def write_findings(style: str, result: Any, findings: Sequence[Finding], *, path: str) -> None:
    """A result in `style`; SARIF and GitHub carry its findings only."""
    if style == "json":
        write_json(result)
        return
    _write_placed(style, [(f, path) for f in findings])


def _write_placed(style: str, placed: Sequence[tuple[Finding, str]]) -> None:
    if style == "sarif":
        sys.stdout.write(json.dumps(_sarif(placed), indent=2) + "\n")
        return
    for finding, path in placed:
        sys.stdout.write(_github(finding, path) + "\n")


def _github(finding: Finding, path: str) -> str:
    place = f"file={path},line={finding.line or 1}," if path else ""
    text = _escaped(f"{finding.subject}: {finding.evidence} {finding.fix}")
    return f"::{_LEVELS[finding.severity]} {place}title={finding.rule}::{text}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _sarif(placed: Iterable[tuple[Finding, str]]) -> dict[str, Any]:
    placed = list(placed)
    rules = sorted({finding.rule for finding, _ in placed})
    driver = {
        "name": "rulezero",
        "version": __version__,
        "rules": [{"id": rule} for rule in rules],
    }
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": [_sarif_result(*p) for p in placed]}],
    }


def _sarif_result(finding: Finding, path: str) -> dict[str, Any]:
    text = f"{finding.subject}: {finding.evidence} {finding.fix}"
    made: dict[str, Any] = {
        "ruleId": finding.rule,
        "level": _LEVELS[finding.severity],
        "message": {"text": text},
    }
    if path:
        place = {
            "artifactLocation": {"uri": path},
            "region": {"startLine": finding.line or 1},
        }
        made["locations"] = [{"physicalLocation": place}]
    return made
