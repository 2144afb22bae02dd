"""Times of things that take turns, and the memory of each in a process of its own."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor

from wsframework.allocation import keep_freed_memory
from wsframework.benchmarks.layers.stacks import STACKS
from wsframework.benchmarks.subjects.memory import resident_peak
from wsframework.benchmarks.subjects.spaces import mlp_space

SECONDS, TURNS = 20.0, 3
"""How long all subjects of a case are measured at least, and how often each is."""


def best_times(steps: Mapping[str, Callable[[], None]]) -> dict[str, float]:
    """The shortest time of each, in seconds, over turns that they take; the first turn is not counted."""
    keep_freed_memory()
    best = dict.fromkeys(steps, float("inf"))
    for step in steps.values():
        step()
    started, turns = time.perf_counter(), 0
    while turns < TURNS or time.perf_counter() - started < SECONDS:
        turns += 1
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            best[name] = min(best[name], time.perf_counter() - start)
    return best


def peak(name: str, batch: int, sizes: tuple[int, ...]) -> float:
    """Megabytes that a stack takes at most, above what its process took before."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as alone:
        return alone.submit(_peak, name, batch, sizes).result()


def _peak(name: str, batch: int, sizes: tuple[int, ...]) -> float:
    space, before = mlp_space(sizes), 0.0
    warm, stack = STACKS[name](mlp_space((1, 1, 1)), 1), None
    if warm is not None:
        warm.step()
        before = resident_peak() / 2**20
        stack = STACKS[name](space, batch)
    if stack is not None:
        stack.step()
        stack.step()
    return resident_peak() / 2**20 - before
