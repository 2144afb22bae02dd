"""Hypothesis strategies of tasks: small ones, of every form that a conditioner or an initializer may meet."""

from __future__ import annotations

from typing import Literal

import torch
from hypothesis import strategies as st
from torch import Tensor

from wsframework.tasks import OBJECTIVES, Data, Task, TaskShape

Kind = Literal["classification", "regression"]
KINDS: tuple[Kind, ...] = ("classification", "regression")


def task_shapes(code: bool | None = None) -> st.SearchStrategy[TaskShape]:
    """One to four inputs, two to four outputs, and a code of one to three numbers or none (None: either)."""
    codes = st.integers(1, 3) if code else st.just(0) if code is False else st.integers(0, 3)
    return st.builds(TaskShape, st.tuples(st.integers(1, 4)), st.tuples(st.integers(2, 4)), codes)


@st.composite
def tasks(
    draw: st.DrawFn, shape: TaskShape | None = None, kind: Kind | None = None, points: tuple[int, int] = (4, 24)
) -> Task:
    """Tasks of ``shape`` (default: drawn) and ``kind`` with this many support examples, and as many query examples."""
    drawn = draw(task_shapes()) if shape is None else shape
    return made_task(
        drawn, draw(st.sampled_from(KINDS)) if kind is None else kind, draw(st.integers(*points)), draw(_SEEDS)
    )


_SEEDS = st.integers(0, 2**16)


def made_task(shape: TaskShape, kind: Kind, points: int, seed: int) -> Task:
    """The task of ``seed``: a Gaussian cloud a class, or noisy linear targets.

    Every class has an example, as far as the points suffice; examples come in no particular order.
    """
    generator = torch.Generator().manual_seed(seed)
    frame = 2 * torch.randn(shape.outputs[0], *shape.inputs, generator=generator)
    support, query = (_examples(frame, kind, points, generator) for _ in range(2))
    code = torch.randn(shape.code, generator=generator) if shape.code else None
    facts = {"drawn": float(seed)}
    return Task(f"made-{seed}", shape, support, query, OBJECTIVES[kind], code=code, text=f"task {seed}", facts=facts)


def _examples(frame: Tensor, kind: Kind, points: int, generator: torch.Generator) -> Data:
    """Examples of the task whose class means, or whose slopes, are ``frame`` (outputs, *inputs)."""
    noise = torch.randn(points, *frame.shape[1:], generator=generator)
    if kind == "regression":
        targets = torch.tensordot(noise, frame, dims=(list(range(1, noise.dim())), list(range(1, frame.dim()))))
        return Data(noise, targets + 0.1 * torch.randn(targets.shape, generator=generator))
    y = torch.arange(points)[torch.randperm(points, generator=generator)] % len(frame)
    return Data(frame[y] + noise, y)
