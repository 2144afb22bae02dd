"""Every mistake that a user can make is a sentence; this module holds the classes that carry it.

The command line prints the sentence and leaves with the class's ``exit_code``; a traceback means
a defect of wsframework itself.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path

NEAR = 0.75
"""How alike the stems of two file names are at least (difflib's ratio) for one to be taken for the other."""


class WsfError(Exception):
    """Base of all errors addressed to the user. ``exit_code`` 1: the work failed."""

    exit_code = 1


class RequestError(WsfError):
    """What was asked for can't be done as asked (bad key, bad file, unknown name). Exit code 2."""

    exit_code = 2


class NotationError(RequestError):
    """A weight space was written in a way that the notation does not allow."""


class SpaceError(RequestError):
    """Weights and weight space, or a part and a weight space, do not fit each other."""


class TraceError(WsfError):
    """No weight space was found for a module: it could not be followed, or what was found failed its verification."""


class PartError(RequestError):
    """A part is unknown, broken, or was given options that it does not have."""


class FileError(RequestError):
    """One or more mistakes in a file, reported together.

    Arguments:
        source: the file, as the user named it.
        mistakes: one sentence each. The message has the first ``shown`` of them, and their count.
    """

    shown = 100

    def __init__(self, source: str, mistakes: Sequence[str]) -> None:
        self.source = source
        self.mistakes = tuple(mistakes)
        count = "1 mistake" if len(self.mistakes) == 1 else f"{len(self.mistakes)} mistakes"
        more = [f"  and {len(self.mistakes) - self.shown} more"] if len(self.mistakes) > self.shown else []
        super().__init__("\n".join([f"{source}: {count}", *(f"  {m}" for m in self.mistakes[: self.shown]), *more]))


class ConfigError(FileError):
    """The mistakes of a config file."""


class DataError(FileError):
    """The mistakes of a file of the user's own data."""

    shown = 10


class StoreError(WsfError):
    """A zoo or run folder holds something that can't be read back."""


class NotApplicable(WsfError):
    """An initializer has no answer for this task or architecture; the sentence says why.

    Evaluation prints the sentence in the table in place of figures.
    """


def nearest(word: str, known: Iterable[str]) -> str:
    """The clause ``"; did you mean 'x'?"`` for the known word most like ``word``, else the list.

    >>> nearest("depsets", ["deepsets", "graph"])
    "; did you mean 'deepsets'?"
    >>> nearest("zzz", ["deepsets", "graph"])
    '; known: deepsets, graph'
    """
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; known: {', '.join(names)}" if names else ""


def alike(word: str, known: Iterable[str]) -> str:
    """The clause of `nearest` for the known word most like ``word``; empty where none is, for lists that are long.

    >>> alike("weigth", ["weight", "bias"]), alike("zzz", ["weight", "bias"])
    ("; did you mean 'weight'?", '')
    """
    close = difflib.get_close_matches(word, known, n=1)
    return nearest(word, close) if close else ""


def nearest_file(path: Path, suffix: str) -> str:
    """The clause ``"; did you mean 'x.csv'?"`` for the file with this suffix, beside ``path``, whose stem is most like.

    Empty where none is truly near: a suffix that all share makes no name near.
    """
    beside = {p.stem: p.name for p in path.parent.glob(f"*{suffix}")} if path.parent.is_dir() else {}
    close = difflib.get_close_matches(path.stem, beside, n=1, cutoff=NEAR)
    return f"; did you mean {beside[close[0]]!r}?" if close else ""
