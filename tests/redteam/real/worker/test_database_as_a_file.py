"""A revision that writes to the SQLite database as to any file, while it is reviewed"""

from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="the database's file is opened for writing by nobody while code is only"
        " read, and the try is CRITICAL",
        level="client",
    ),
    pytest.mark.proves("D01", "C03", "D11"),
]

CODE = """
import os, pathlib
file = pathlib.Path(os.environ['DATABASE_URL'].partition('///')[2])
for write in (
    lambda: file.write_bytes(b''),
    lambda: os.close(os.open(file, os.O_RDWR | os.O_TRUNC)),
    lambda: os.truncate(file, 0),
    lambda: file.unlink(),
    lambda: os.rename(file, str(file) + '.gone'),
    lambda: os.replace(__file__, file),
    lambda: pathlib.Path(str(file) + '-journal').write_bytes(b'x'),
):
    try:
        write()
    except OSError:
        pass
"""


def test_nobody_writes_to_the_file(real: Any, untouched: Any) -> None:
    real.insert(CODE)
    with untouched(real):
        found = real.reviewed()
    assert found.risk == "CRITICAL"
