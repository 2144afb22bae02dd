"""The command line. Nothing here imports torch before a command needs it."""

from __future__ import annotations

from wsframework.cli.app import app


def main() -> None:
    """The entry point of ``wsf``."""
    app()
