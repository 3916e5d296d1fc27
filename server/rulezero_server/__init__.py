"""The edges of rulezero: MCP, stores, the parent of the worker, the command line."""

__version__ = "0.1.0"
