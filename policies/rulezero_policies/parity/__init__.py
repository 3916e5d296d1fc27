"""Production parity: what is merged, what production has, and what keeps the two apart."""
