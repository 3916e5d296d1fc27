"""The edges of rulezero: MCP, stores, the parent of the worker, the command line."""
