"""Approved bytes, put where nothing else writes."""

import hashlib
from collections.abc import Mapping
from pathlib import Path


def seal(folder: Path, root: Path, files: Mapping[str, bytes]) -> dict[str, dict[str, str]]:
    """Write these bytes into `folder`; map each original path, under `root`, to its copy."""
    sealed: dict[str, dict[str, str]] = {}
    for number, (path, content) in enumerate(sorted(files.items())):
        copy = folder / f"{number:06d}"
        copy.write_bytes(content)
        sealed[str(root / path)] = {"sealed": str(copy), "sha256": sha256(content)}
    return sealed


def sha256(content: bytes) -> str:
    """The SHA-256 of some bytes, as hex."""
    return hashlib.sha256(content).hexdigest()
