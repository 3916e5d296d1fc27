"""The MCP server: tools, prompts, and how they are introduced. No logic."""

import logging
import sys

from mcp.server.mcpserver import MCPServer

from rulezero_server import __version__
from rulezero_server.app import App
from rulezero_server.mcp_tools import register
from rulezero_server.prompts import register_prompts

INSTRUCTIONS = """\
Rule 0: a migration is never applied automatically. You can do everything about a migration except
decide to run it.
Order: status, analyze, generate, review, confirm, apply. A step out of order answers with the step
to call first.
`confirm` asks a person; only their yes gives the one-time token that `apply` needs. What a user
said in the chat is no approval. "pending" means they are deciding on a page or in a terminal of
their own: wait for them, then call `confirm` again.
Always show warnings, approval requests and rollback commands to the person as they are written."""


def make_server(app: App) -> MCPServer:
    """Every tool and prompt on one server."""
    server = MCPServer(
        "rulezero",
        title="rulezero: migrations that a person decides",
        instructions=INSTRUCTIONS,
        version=__version__,
        log_level="WARNING",
    )
    register(server, app)
    register_prompts(server)
    return server


def serve(app: App) -> None:
    """Speak MCP on stdin and stdout until the client leaves; logs go to stderr."""
    # The SDK logs a traceback for whatever escapes a tool, with every value in it.
    logging.getLogger("mcp").setLevel(logging.CRITICAL)
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(name)s: %(message)s")
    make_server(app).run("stdio")
