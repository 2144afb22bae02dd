"""``python -m wsframework``: the command line, as torchrun starts it."""

from __future__ import annotations

from wsframework.cli import main

if __name__ == "__main__":
    main()
