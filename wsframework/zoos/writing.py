"""A new folder: whole, or not there at all."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wsframework.errors import RequestError, StoreError


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """A folder to write into, which becomes ``out`` at the end; after a failure nothing is left of it.

    Raises:
        RequestError: where ``out`` is there already.
        StoreError: where it can't be written, as on a full disk.
    """
    if out.exists():
        raise RequestError(f"{out} is there already; nothing is overwritten: choose another --out")
    unfinished = out.with_name(f".{out.name}.{secrets.token_hex(4)}.unfinished")
    try:
        unfinished.mkdir(parents=True)
        yield unfinished
        unfinished.rename(out)
    except (StoreError, OSError) as error:
        cause = error.__cause__ if isinstance(error, StoreError) else error
        if not isinstance(cause, OSError):
            raise
        raise StoreError(f"{out}: can't be written ({cause.strerror or cause}); nothing was left of it") from None
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
