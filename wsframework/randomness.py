"""Randomness comes in as generators; a run has one root seed, and every use of it has a name."""

from __future__ import annotations

import hashlib

import torch


def generator(seed: int, *names: str | int) -> torch.Generator:
    """The generator of root ``seed`` for the use called ``names``: independent of every other use.

    >>> generator(0, "zoo", 3).initial_seed() == generator(0, "zoo", 3).initial_seed()
    True
    """
    text = "/".join(map(str, (seed, *names)))
    digest = hashlib.sha256(text.encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
