"""Which locks DDL takes, what it does under them, and for how long."""
