"""How fast a zoo is built: networks trained in blocks, beside the same networks trained one by one."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, median, stdev

import torch
from torch import Tensor, nn
from torch.nn import functional

from wsframework.benchmarks import Row, Table
from wsframework.benchmarks.zoo import steps
from wsframework.benchmarks.zoo.bound import COPIED, bandwidth, moved
from wsframework.config.building import build
from wsframework.config.sections import PartConfig, ZooSection
from wsframework.device import one_thread
from wsframework.engines.work import train_block
from wsframework.errors import RequestError
from wsframework.parts.entrypoints import load_registry
from wsframework.parts.interfaces import Architecture
from wsframework.randomness import generator
from wsframework.tasks import Task

PASSES = 10
A_PASS = 5
"""Single networks in one pass."""
WARM_UP = 5


def run(*, networks: int = 10_000, turns: int = steps.TURNS) -> Table:
    """``networks`` (rounded up to whole blocks) perceptrons 2-32-2 on Gaussian tasks, on one thread.

    The rival is a warm loop over single networks: the same module, fused Adam, minibatches gathered before its
    clock starts. Its clock runs during training alone; that of a block also while tasks are stacked, networks
    initialised, examples shuffled and final losses computed. The two take turns, so that both meet the same
    machine, and are told by processor time, which other programs disturb less than the wall clock. Then, in
    ``turns`` turns, a gradient step of networks of every other kind (`steps`). What is done in blocks is told as a
    part of what memory's bandwidth, measured beside it, allows too (`bound`).

    Raises:
        RequestError: if ``networks`` is less than 1.
    """
    if networks < 1:
        raise RequestError(f"a zoo of {networks} networks can't be timed; it has at least 1")
    registry = load_registry()
    architecture = build(registry, "architecture", PartConfig("mlp"))
    family = build(registry, "task_family", PartConfig("gaussians"))
    section = ZooSection(size=networks)
    tasks = family.draw(section.block, 0, 0, generator(0, "tasks")).seen
    with one_thread():
        speed = bandwidth()
        found = _take_turns(architecture, tasks, section)
        others = tuple(steps.rows(turns, speed))
    return Table(
        f"zoo: gaussians, mlp 2-32-2, {len(tasks[0].support)} points, batch {section.batch}, Adam {section.lr}, "
        f"{section.epochs} epochs; 1 thread, torch {torch.__version__}",
        _rows(found, networks, _trained_bytes(architecture, tasks[0], section) / speed)
        + others
        + (Row("copied by memory", speed / 1e9, "GB/s", note=f"read and written, {COPIED / 2**20:.0f} MB, the bound"),),
    )


def _trained_bytes(architecture: Architecture, task: Task, section: ZooSection) -> int:
    """What the training of one network moves."""
    sizes = [len(task.support) - start for start in range(0, len(task.support), section.batch)]
    return section.epochs * sum(moved(architecture, task.shape, min(size, section.batch)) for size in sizes)


@dataclass(frozen=True)
class _Pass:
    """One turn of both: processor seconds a network, and mean final losses on the tasks that both trained for."""

    block_seconds: float
    loop_seconds: float
    block_loss: float
    loop_loss: float


def _take_turns(architecture: Architecture, tasks: Sequence[Task], section: ZooSection) -> list[_Pass]:
    """All blocks, spread over the passes, and `A_PASS` single networks in each pass, after a warm-up of both."""
    blocks = math.ceil(section.size / section.block)
    passes = min(PASSES, blocks)
    _blocks(architecture, tasks, section, range(-1, 0))
    _loop(architecture, tasks[:WARM_UP], section, generator(0, "warm-up"))
    found = []
    for turn in range(passes):
        mine = slice(A_PASS * turn, A_PASS * (turn + 1))
        block_seconds, block_losses = _blocks(architecture, tasks, section, range(turn, blocks, passes))
        loop_seconds, loop_losses = _loop(architecture, tasks[mine], section, generator(0, "loop", turn))
        found.append(_Pass(block_seconds, loop_seconds, block_losses[mine].mean().item(), loop_losses.mean().item()))
    return found


def _blocks(
    architecture: Architecture, tasks: Sequence[Task], section: ZooSection, blocks: range
) -> tuple[float, Tensor]:
    """Processor seconds a network, and final support losses, averaged over the blocks (tasks,)."""
    start = time.process_time()
    losses = [train_block(architecture, tasks, section, generator(0, "zoo", block))[-1].loss for block in blocks]
    return (time.process_time() - start) / (len(blocks) * len(tasks)), torch.stack(losses).mean(0)


def _loop(
    architecture: Architecture, tasks: Sequence[Task], section: ZooSection, random: torch.Generator
) -> tuple[float, Tensor]:
    """Processor seconds a network of the one-by-one loop, and final support losses (tasks,)."""
    minibatches = [_minibatches(task, section, random) for task in tasks]
    networks = [_network(architecture, task, random) for task in tasks]
    start = time.process_time()
    for network, pieces in zip(networks, minibatches, strict=True):
        optimizer = torch.optim.Adam(network.parameters(), lr=section.lr, fused=True)
        for x, y in pieces:
            optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(functional.cross_entropy(network(x), y))
            optimizer.step()
    seconds = (time.process_time() - start) / len(tasks)
    with torch.no_grad():
        pairs = zip(networks, tasks, strict=True)
        losses = [functional.cross_entropy(network(task.support.x), task.support.y) for network, task in pairs]
    return seconds, torch.stack(losses)


def _network(architecture: Architecture, task: Task, random: torch.Generator) -> nn.Module:
    (x,) = architecture.initialize(task.shape, 1, random)
    network = architecture.network(task.shape)
    network.load_state_dict(architecture.space(task.shape).unflatten(x))
    return network


def _minibatches(task: Task, section: ZooSection, random: torch.Generator) -> list[tuple[Tensor, Tensor]]:
    """Those of all epochs, gathered."""
    count = len(task.support)
    epochs = [torch.randperm(count, generator=random) for _ in range(section.epochs)]
    chosen = [epoch[i : i + section.batch] for epoch in epochs for i in range(0, count, section.batch)]
    return [(task.support.x[rows], task.support.y[rows]) for rows in chosen]


def _rows(found: list[_Pass], networks: int, least: float) -> tuple[Row, ...]:
    """``least``: the seconds a network that memory alone would take."""
    block, loop = median(p.block_seconds for p in found), median(p.loop_seconds for p in found)
    ratios = [p.loop_seconds / p.block_seconds for p in found]
    losses = mean(p.block_loss for p in found), mean(p.loop_loss for p in found)
    batched = f"{block * 1e3:.3g} ms each; {min(ratios):.1f} to {max(ratios):.1f} in {len(found)} alternating passes"
    single = f"{loop * 1e3:.3g} ms each, of {A_PASS * len(found)}; warm, fused Adam"
    same = f"mean over the same {A_PASS * len(found)} tasks; other initialisations and orders"
    chance = f"standard error {stdev(p.loop_loss for p in found) / len(found) ** 0.5:.1g}" if len(found) > 1 else ""
    return (
        Row("in blocks", 1 / block, "networks/s", "one by one", median(ratios), batched, least / block),
        Row("one by one", 1 / loop, "networks/s", note=single),
        Row(f"{networks} networks in blocks", networks * block, "s", note="processor time"),
        Row("final loss in blocks", losses[0], "nats", "one by one", losses[0] / losses[1], same),
        Row("final loss one by one", losses[1], "nats", note=chance),
    )
