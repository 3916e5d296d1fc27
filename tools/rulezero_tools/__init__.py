"""The use cases of rulezero: one capability a module, the world reached through `ports`."""
