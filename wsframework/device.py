"""Where to compute."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from wsframework.errors import RequestError


def usable(device: str) -> str:
    """``"cpu"`` or ``"cuda"`` as asked for; for ``"auto"`` a GPU if torch sees one.

    Raises:
        RequestError: where a GPU is asked for and torch sees none.
    """
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise RequestError("--device cuda: this machine's torch sees no CUDA device; use cpu or auto")
    return device


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for torch inside, as many as before after it."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
