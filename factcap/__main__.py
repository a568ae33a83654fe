"""`python -m factcap` is the command `factcap`."""

from factcap.cli import main

if __name__ == "__main__":
    main()
