"""`python -m rulezero_server`."""

from rulezero_server.cli import main

if __name__ == "__main__":
    main()
