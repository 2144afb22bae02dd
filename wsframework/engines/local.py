"""The engine of one machine: this process for little work, processes of one thread each for more."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait as wait_for

from wsframework.engines.work import Trained, Work
from wsframework.errors import RequestError

WORTH = 20.0
"""Seconds of work left from which on further processes are worth their start."""
LOSSES = 3
"""How often the processes may die without a block between, before that is told."""


def local(work: Work, blocks: Sequence[int], workers: int) -> Iterator[tuple[int, Trained]]:
    """The ``blocks``, in the order in which they are done.

    Arguments:
        workers: processes; 0 means as many as there are cores, where a first block says that it is worth it.
    """
    left = list(blocks)
    while left and workers <= 1:
        done = work.trained(left[0])
        yield left.pop(0), done
        if workers == 0 and len(left) > 1 and done.seconds * len(left) > WORTH:
            break
    if left:
        yield from _side_by_side(work, left, min(workers or os.cpu_count() or 1, len(left)))


def _side_by_side(work: Work, blocks: Sequence[int], workers: int) -> Iterator[tuple[int, Trained]]:
    """As `local`, in processes; the blocks of one that dies are given to others."""
    left, losses = list(blocks), 0
    while left:
        try:
            for block, trained in _pooled(work, left, workers):
                left.remove(block)
                losses = 0
                yield block, trained
        except BrokenProcessPool:
            losses += 1
            if losses == LOSSES:
                raise RequestError(
                    f"a process that trains networks was killed {LOSSES} times in a row, perhaps for want of memory; "
                    "finished blocks are kept: run again with a smaller engine.workers or zoo.block"
                ) from None


def _pooled(work: Work, blocks: Sequence[int], workers: int) -> Iterator[tuple[int, Trained]]:
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=spawn, initializer=_begin, initargs=(work,)) as pool:
        running: dict[Future[Trained], int] = {pool.submit(_trained, block): block for block in blocks}
        try:
            while running:
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    yield running.pop(future), future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


_work: Work


def _begin(work: Work) -> None:
    """Make a process ready: it has the work, leaves interrupts to its parent, and ends when that one does."""
    global _work
    _work = work
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait_for([parent.sentinel])
        os._exit(1)


def _trained(block: int) -> Trained:
    return _work.trained(block)
