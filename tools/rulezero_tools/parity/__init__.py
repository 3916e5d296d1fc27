"""Production parity: environments compared, and the plan that brings them together."""
