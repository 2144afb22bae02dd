"""Which tasks are the same, but for rounding and for the order of their examples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from wsframework.tasks import Data, Task

NEAR = 1e-5
"""How far numbers differ at most, relative, that are one: more than rounding, and less than what tells tasks apart."""
WAVES = 16


def of_one_code(first: Sequence[Task], second: Sequence[Task]) -> Iterator[tuple[Task, Task]]:
    """The pairs that have one code."""
    ours, theirs = ([t for t in tasks if t.code is not None] for tasks in (first, second))
    for one in ours:
        others = [t for t in theirs if t.code is not None and one.code is not None and t.code.shape == one.code.shape]
        codes = [t.code for t in others if t.code is not None]
        if one.code is not None and codes:
            yield from ((one, others[k]) for k in _same(one.code, torch.stack(codes)).nonzero().flatten().tolist())


def _one_code(one: Task, other: Task) -> bool:
    """Whether two codes are the same, but for less than what tells tasks apart."""
    if one.code is None or other.code is None or one.code.shape != other.code.shape:
        return False
    return bool(_same(one.code, other.code.unsqueeze(0)))


def _same(code: Tensor, others: Tensor) -> Tensor:
    """Which codes (n, length) are ``code``: (n,), bool."""
    return ((code - others).abs() <= NEAR * (1 + others.abs())).flatten(1).all(1)


def of_one_content(tasks: Sequence[Task]) -> Iterator[tuple[Task, Task]]:
    """The pairs with the same examples in whatever order, or with the same support data, and one code or none."""
    told = [(_told(task.support), _told(task.query)) for task in tasks]
    support, sums = (torch.stack(rows) for rows in ([s for s, _ in told], [s + q for s, q in told]))
    for i, one in enumerate(tasks[:-1]):
        again, whole = (_near(rows[i], rows[i + 1 :]) for rows in (support, sums))
        for j in (again | whole).nonzero().flatten().tolist():
            other = tasks[i + 1 + j]
            if whole[j] or one.code is None or _one_code(one, other):
                yield one, other


def _told(data: Data) -> Tensor:
    """Sums over all examples of waves of them, (waves,): hardly ever the same for other examples, in any order."""
    points = len(data)
    rows = torch.cat([data.x.double().reshape(points, -1), data.y.double().reshape(points, -1)], 1)
    frequencies = torch.randn(rows.shape[1], WAVES, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return torch.cos(rows @ frequencies / rows.shape[1] ** 0.5 + torch.arange(WAVES)).sum(0)


def _near(one: Tensor, others: Tensor) -> Tensor:
    """Which rows (n, waves) are ``one``, up to what examples that are one may differ by: (n,), bool."""
    return (others - one).abs().amax(1) <= 10 * NEAR


def shared_inputs(task: Task) -> int:
    """How many query inputs are support inputs, too.

    So they are where they are equal; or where more than a tenth of all are nearer than chance brings them.
    """
    known = {row.tobytes() for row in task.support.x.flatten(1).numpy()}
    equal = sum(row.tobytes() in known for row in task.query.x.flatten(1).numpy())
    support, query = (data.x.double().flatten(1) for data in (task.support, task.query))
    scale = 1 + support.abs().max() * support.shape[1] ** 0.5
    near = int((torch.cdist(query, support).amin(1) <= NEAR * scale).sum())
    return max(equal, near) if near > len(query) / 10 else equal
