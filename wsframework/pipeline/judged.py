"""The tasks that a run was judged on, as a name that runs on the same tasks share."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor

from wsframework.tasks import Task


def tasks_digest(tasks: Sequence[Task]) -> str:
    """A hexadecimal name for the examples of ``tasks``, in their order: support and query data, bit by bit."""
    digest = hashlib.sha256()
    for task in tasks:
        for part in (task.support.x, task.support.y, task.query.x, task.query.y):
            digest.update(f"{part.dtype} {list(part.shape)}".encode() + _content(part))
    return digest.hexdigest()[:32]


def joined(digests: Sequence[str]) -> str:
    """The name of the tasks of several seeds."""
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()[:32]


def _content(tensor: Tensor) -> bytes:
    return tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes()
