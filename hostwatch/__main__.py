"""`python -m hostwatch` is the same door as the `hostwatch` command."""

from hostwatch.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
