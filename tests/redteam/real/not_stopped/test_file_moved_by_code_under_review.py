"""A revision that puts another file in the place of the SQLite database, while it is reviewed"""

from contextlib import suppress
from typing import Any

import pytest

from rulezero_policies.errors import RulezeroError

pytestmark = [
    pytest.mark.attack(
        stopped_by="a sandbox: programs, connections and the database's own file are "
        "refused, the rest of the file system is not",
        level="never",
    ),
    pytest.mark.proves("D04"),
]

CODE = """
import os
file = os.environ['DATABASE_URL'].partition('///')[2]
with open(file + '.new', 'wb') as new:
    new.write(b'nothing is left')
os.replace(file + '.new', file)
"""


def test_a_review_runs_the_code(real: Any, changed: Any) -> None:
    real.insert(CODE)
    with changed(real), suppress(RulezeroError):
        real.reviewed()
