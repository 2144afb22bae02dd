"""Benchmarks: each module here is one, named by its file, with a function ``run() -> Table``; packages help them.

A figure stands beside a bound or a rival that was measured in the same run on the same machine.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from wsframework.errors import RequestError, nearest


@dataclass(frozen=True)
class Row:
    """One measurement.

    Attributes:
        name: what was measured.
        value: the figure, None where it could not be measured (a rival is missing; ``note`` says so).
        unit: of the figure ("networks/s", "s").
        rival: the bound or rival that ``ratio`` refers to, or empty.
        ratio: the figure divided by the rival's.
        note: what else a reader should know.
        bound: the figure divided by what the memory's bandwidth would allow, where that was measured.
    """

    name: str
    value: float | None
    unit: str
    rival: str = ""
    ratio: float | None = None
    note: str = ""
    bound: float | None = None


@dataclass(frozen=True)
class Table:
    """What a benchmark found: a title that names the setting, and its rows."""

    title: str
    rows: tuple[Row, ...]


def names() -> tuple[str, ...]:
    """The benchmarks there are."""
    return tuple(sorted(m.name for m in pkgutil.iter_modules(__path__) if m.name not in ("rivals", "subjects")))


def benchmark(name: str) -> Callable[[], Table]:
    """The benchmark called ``name``.

    Raises:
        RequestError: if there is none, with the nearest name.
    """
    if name not in names():
        raise RequestError(f"there is no benchmark {name!r}{nearest(name, names())}")
    run: Callable[[], Table] = import_module(f"{__name__}.{name}").run
    return run
