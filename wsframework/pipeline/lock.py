"""One run at a time into one folder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from wsframework.errors import RequestError
from wsframework.store import PARTIAL


def _opened(folder: Path) -> IO[str]:
    """The lock's file, in the folder that is made if need be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return (folder / ".lock").open("a+")
    except OSError as error:
        where = "" if error.filename in (None, str(folder)) else f" ({error.filename})"
        raise RequestError(
            f"{folder}: this can't be a run's folder: {error.strerror}{where}; choose another with --out"
        ) from None


@contextmanager
def run_lock(folder: Path) -> Iterator[None]:
    """Hold ``folder`` (made if need be) for this process; files that a dead one left unfinished are removed.

    The lock is the kernel's and ends with its process, however that ends; the file ``.lock`` stays, and
    says whose it was last.

    Raises:
        RequestError: if another process holds the folder, or it can't be made or written into.
    """
    with _opened(folder) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise RequestError(
                f"{folder}: another run (process {holder}) is writing into this folder; "
                "wait for it, stop it, or choose another folder with --out"
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        for partial in folder.rglob(f".*{PARTIAL}"):
            partial.unlink()
        yield
