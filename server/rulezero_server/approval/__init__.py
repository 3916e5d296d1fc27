"""The approval page: where a person reads what would run and says yes or no, on this machine.

`ApprovalPage` serves the questions of one server process, `enroll_page` makes a passkey, and
`Argon2Hasher` keeps PINs. Importing this is for those who need it now: it costs start-up time.
"""

from rulezero_server.approval.enrolling import enroll_page
from rulezero_server.approval.page import ApprovalPage
from rulezero_server.approval.pins import Argon2Hasher

__all__ = ["ApprovalPage", "Argon2Hasher", "enroll_page"]
