"""What parity asks of a service's code: its stores as they are, and whether it works."""
