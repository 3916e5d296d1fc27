"""A compiled module planted beside an approved revision"""

import importlib.util
import marshal
import struct
from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="what runs is compiled from the approved sources", level="client"
    ),
    pytest.mark.proves("D03", "C03", "D11"),
]


def test_planted_bytecode_does_not_run(real: Any, only_approved: Any, eyes: Any) -> None:
    found = real.reviewed()
    token = real.said_yes(found.plan_id)
    source = real.revision
    hostile = source.read_text("utf-8").replace("def upgrade():\n", "def upgrade():\n    1 / 0\n")
    code = compile(hostile, str(source), "exec")
    cached = importlib.util.cache_from_source(str(source))
    seen = source.stat()
    header = struct.pack("<LLL", 0, int(seen.st_mtime), seen.st_size)
    target = source.parent / "__pycache__"
    target.mkdir(exist_ok=True)
    (target / cached).write_bytes(importlib.util.MAGIC_NUMBER + header + marshal.dumps(code))
    looker = eyes(f"sqlite:///{real.file.as_posix()}")
    with only_approved(lambda: looker.revision() == "2b8e41f6a05c"):
        assert real.applied(found.plan_id, token).status == "applied"
