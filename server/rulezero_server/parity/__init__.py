"""What production parity reads and writes: settings files, services, code, stores, smoke runs."""
