"""A client waits for the tool list: nothing of the page is loaded before it is needed."""

import subprocess
import sys

CODE = """
import sys
import rulezero_server.server
costly = ("rulezero_server.approval", "webauthn", "argon2", "jinja2")
print([name for name in costly if name in sys.modules])
from rulezero_server.approval import ApprovalPage, Argon2Hasher
print([name for name in costly if name in sys.modules])
"""


def test_the_server_starts_without_the_page_and_the_page_without_its_keys() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    before, after = done.stdout.splitlines()
    assert before == "[]"
    assert after == "['rulezero_server.approval', 'jinja2']"
