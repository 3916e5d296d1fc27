"""A settings file swapped for a link while the executor works"""

from pathlib import Path
from typing import Any

import pytest

from rulezero_server.parity import keeping

pytestmark = [
    pytest.mark.attack(
        stopped_by="the file is looked at again right before its place is taken", level="client"
    ),
    pytest.mark.proves("B13", "D11"),
]


def test_what_the_link_leads_to_stays(
    shop: Any,
    untouched: Any,
    watched_file: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan, outside = shop.planned(), tmp_path / "outside"
    token, keep = shop.yes(plan), keeping.keep
    outside.write_bytes(shop.file.read_bytes())

    def swapping(*args: Any) -> Path:
        kept = keep(*args)
        shop.file.unlink()
        shop.file.symlink_to(outside)
        return kept

    monkeypatch.setattr(keeping, "keep", swapping)
    with untouched(watched_file(outside)):
        result = shop.apply(plan, token)
    assert "symbolic link" in result.message
    assert (result.status, result.ending) == ("failed", "nothing happened")
    assert shop.file.readlink() == outside
