"""One gradient step of one network, of every kind of architecture: in a block, beside a warm loop over modules."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median

import torch
from torch import Tensor
from torch.nn import functional

from wsframework.benchmarks import Row
from wsframework.benchmarks.zoo.bound import moved
from wsframework.config.building import build
from wsframework.config.sections import PartConfig
from wsframework.parts.entrypoints import load_registry
from wsframework.parts.interfaces import Architecture
from wsframework.randomness import generator
from wsframework.tasks import OBJECTIVES, Data, TaskBatch, TaskShape
from wsframework.training import Budget, train_networks

NETWORKS = 64
"""In a block."""
POINTS = 32
"""In a minibatch."""
TURNS = 5
BLOCK_STEPS = 2
"""Of the block in one turn."""
LOOP_STEPS = 64
"""Of a single network in one turn."""
LR = 1e-3


@dataclass(frozen=True)
class Setting:
    """An architecture with its defaults, and the shape of its tasks."""

    name: str
    shape: TaskShape
    objective: str = "classification"

    def batch(self) -> TaskBatch:
        """Random data of `NETWORKS` tasks, two minibatches of each."""
        random = generator(0, "data", self.name)
        x = torch.randn(NETWORKS, 2 * POINTS, *self.shape.inputs, generator=random)
        y = torch.randn(NETWORKS, 2 * POINTS, *self.shape.outputs, generator=random)
        data = Data(x, y.argmax(-1) if self.objective == "classification" else y)
        return TaskBatch(data, data, OBJECTIVES[self.objective])


SETTINGS = (
    Setting("siren", TaskShape((2,), (1,)), "regression"),
    Setting("cnn", TaskShape((1, 8, 8), (10,))),
    Setting("resnet", TaskShape((1, 8, 8), (10,))),
    Setting("gru", TaskShape((16, 3), (4,))),
    Setting("transformer", TaskShape((16, 3), (4,))),
)


def rows(turns: int, speed: float) -> Iterator[Row]:
    """Two for each setting; block and loop take turns, and are told by processor time.

    Arguments:
        speed: bytes a second of the memory.
    """
    registry = load_registry()
    for setting in SETTINGS:
        architecture = build(registry, "architecture", PartConfig(setting.name))
        block, single = _block(architecture, setting), _single(architecture, setting)
        times = [(_seconds(block, BLOCK_STEPS) / NETWORKS, _seconds(single, LOOP_STEPS)) for _ in range(turns + 1)][1:]
        yield from _two_rows(setting, times, moved(architecture, setting.shape, POINTS) / speed)


def _seconds(step: Callable[[], object], steps: int) -> float:
    """Processor seconds of one of ``steps``."""
    start = time.process_time()
    for _ in range(steps):
        step()
    return (time.process_time() - start) / steps


def _block(architecture: Architecture, setting: Setting) -> Callable[[], object]:
    """One step of `NETWORKS` networks side by side."""
    random = generator(0, "block", setting.name)
    x = architecture.initialize(setting.shape, NETWORKS, random)
    budget = Budget(10**9, LR, POINTS)
    steps = train_networks(architecture, setting.shape, x, setting.batch(), budget, random)
    return lambda: next(steps)


def _single(architecture: Architecture, setting: Setting) -> Callable[[], object]:
    """One step of one module, by fused Adam on a minibatch that was gathered before."""
    network = architecture.network(setting.shape).train()
    optimizer = torch.optim.Adam(network.parameters(), lr=LR, fused=True)
    data = setting.batch().support
    x, y = data.x[0, :POINTS].clone(), data.y[0, :POINTS].clone()
    loss: Callable[[Tensor, Tensor], Tensor] = functional.cross_entropy
    if setting.objective == "regression":
        loss = functional.mse_loss

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss(network(x), y))
        optimizer.step()

    return step


def _two_rows(setting: Setting, times: list[tuple[float, float]], least: float) -> tuple[Row, Row]:
    """``least``: the seconds of a step that memory alone would take."""
    block, single = (median(column) for column in zip(*times, strict=True))
    ratios = [loop / mine for mine, loop in times]
    inputs = "x".join(map(str, setting.shape.inputs))
    note = f"inputs {inputs}, {NETWORKS} networks, minibatches of {POINTS}; {min(ratios):.1f} to {max(ratios):.1f}"
    return (
        Row(
            f"a step of {setting.name}, in blocks", block * 1e6, "us", "one by one", median(ratios), note, least / block
        ),
        Row(f"a step of {setting.name}, one by one", single * 1e6, "us", note="warm, fused Adam"),
    )
