"""How fast a step could be at most if memory were its only limit: the bytes that it moves, at the speed of a copy."""

from __future__ import annotations

import time

import torch

from wsframework.footprint import activations
from wsframework.parts.interfaces import Architecture
from wsframework.tasks import TaskShape

COPIED = 2**28
"""Bytes of the copy, more than caches hold."""
COPIES = 5
PER_WEIGHT = 10
"""Numbers that a step moves for each weight: the weight read forwards, backwards and by Adam, and written; its
gradient written and read; Adam's two moments read and written."""
PER_ACTIVATION = 2
"""Numbers that it moves for each output of a layer: written forwards, read backwards."""
NUMBER = 4
"""Bytes of one in single precision."""


def bandwidth() -> float:
    """Bytes a second that a copy on this thread reads and writes together, by processor time; the best of a few."""
    source = torch.ones(COPIED, dtype=torch.uint8)
    target, seconds = torch.empty_like(source), []
    target.copy_(source)  # the system gives its pages now
    for _ in range(COPIES):
        start = time.process_time()
        target.copy_(source)
        seconds.append(time.process_time() - start)
    return 2 * COPIED / min(seconds)


def moved(architecture: Architecture, shape: TaskShape, points: int) -> int:
    """Bytes that a step of Adam on a minibatch of so many ``points`` moves for one network, if nothing stays cached."""
    weights = PER_WEIGHT * architecture.space(shape).size
    return NUMBER * (weights + PER_ACTIVATION * points * activations(architecture, shape))
