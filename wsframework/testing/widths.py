"""Spaces like another one, of other widths."""

from __future__ import annotations

from collections.abc import Callable

from wsframework.spaces import WeightSpace

RESIZED: tuple[Callable[[int], int], ...] = (lambda n: n + 1, lambda n: (n + 1) // 2, lambda n: 4 * n)


def other_widths(space: WeightSpace, most: int = 2000) -> list[WeightSpace]:
    """The space with free dims a little wider, half as wide, and far wider, unless it has too many coordinates."""
    found = []
    for size in RESIZED if space.free else ():
        dims = [type(d)(d.name, size(d.size), True, d.within, d.gauge) if d.free else d for d in space.dims]
        found.append(WeightSpace(tuple(dims), space.parameters))
    return [other for other in found if other.size <= most and other.free != space.free]
