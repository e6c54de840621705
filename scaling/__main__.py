"""``python -m scaling``: the command where no script of it is on the path."""

from .cli import main

if __name__ == "__main__":
    main()
