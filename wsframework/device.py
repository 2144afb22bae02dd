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


CAPABILITY = (8, 0)
"""From which compute capability on GPUs multiply matrices in bfloat16 (Ampere)."""


def check_precision(device: str, precision: str) -> None:
    """Nothing, where the ``device`` computes in ``precision``: a CPU does in either, as torch has bfloat16 for it.

    Raises:
        RequestError: where it is a GPU that does not.
    """
    if device == "cuda" and precision == "bfloat16" and (found := torch.cuda.get_device_capability()) < CAPABILITY:
        major, minor = found
        raise RequestError(
            f"train.precision = 'bfloat16' needs a GPU of compute capability 8.0 (Ampere) or later, and this one has "
            f"{major}.{minor}; leave it at 'float32'"
        )


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for torch inside, as many as before after it."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
