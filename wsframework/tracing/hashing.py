"""Arrays of numbers, mixed and counted: what colour refinement is made of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Hashes = NDArray[np.uint64]

_MIX = np.uint64(0x9E3779B97F4A7C15)


def hashed(values: NDArray[np.integer]) -> Hashes:
    """Numbers that depend on all bits of the given ones (the finaliser of splitmix64)."""
    x: Hashes = values.astype(np.uint64) + _MIX
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def salt(number: int) -> Hashes:
    """One hash, of shape (1,), for what has this number: hashed twice, so that it never cancels that of a value."""
    return hashed(hashed(np.array([number])))


def sums(places: Ints, values: Hashes, size: int) -> Hashes:
    """``values`` summed by ``places``: hashes of multisets, (size,)."""
    total = np.zeros(size, dtype=np.uint64)
    np.add.at(total, places, values)
    return total


def numbered(values: NDArray[np.integer]) -> Ints:
    """Numbers from 0, equal where the values are."""
    numbers: Ints = np.unique(values, return_inverse=True)[1].astype(np.int64)
    return numbers


def distinct(first: Ints, second: Ints) -> tuple[Ints, Ints]:
    """The distinct pairs, sorted."""
    pairs = np.unique(np.stack([first, second]), axis=1)
    return pairs[0], pairs[1]
