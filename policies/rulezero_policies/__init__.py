"""The decisions of rulezero: pure values in, decisions out. No I/O, no clock, no randomness."""
