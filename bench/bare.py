"""A bare MCP server with one trivial tool: what `rulezero serve` is measured against."""

from mcp.server.mcpserver import MCPServer

server = MCPServer("bare")


@server.tool()
def ping() -> str:
    """Answer."""
    return "pong"


server.run("stdio")
