"""The safer approach: one hazardous change as several revisions with deployments between them."""

from rulezero_tools.safer.changes import nullable, sequence, tables
from rulezero_tools.safer.files import Sequenced

__all__ = ["Sequenced", "nullable", "sequence", "tables"]
