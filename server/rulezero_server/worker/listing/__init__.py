"""The catalogues of the databases, read as things that can be compared."""
