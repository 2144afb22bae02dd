"""How much memory a prior takes while it is trained on a zoo that is larger, and how fast zoos are written."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import cast

import torch
from torch import Tensor

from wsframework.benchmarks import Row, Table
from wsframework.benchmarks.subjects.memory import STATUS, resident_peak
from wsframework.config.building import build
from wsframework.config.sections import PartConfig, TrainSection, ZooSection
from wsframework.errors import RequestError
from wsframework.parts.entrypoints import load_registry
from wsframework.parts.interfaces import Architecture, TaskFamily
from wsframework.pipeline.train import train_prior
from wsframework.pipeline.zoo import IN_MEMORY, load_zoo
from wsframework.prior_config import Design
from wsframework.zoo_store import ZooStore

NETWORK = PartConfig("mlp", {"widths": (512, 512)})
TASKS, BLOCK, STEPS, BATCH = 16, 64, 8, 4
PARTS = {
    "encoder": PartConfig("orbit"),
    "conditioner": PartConfig("moments"),
    "scheduler": PartConfig("ddpm"),
    "denoiser": PartConfig("deepsets", {"width": 8, "blocks": 1}),
}
"""The denoiser is small: at its default width its own activations take 6 GB, and it is the zoo that is asked about."""


def run(*, gigabytes: float = 4.0) -> Table:
    """A zoo of so many gigabytes of random perceptrons is written, and a prior takes some steps on it.

    The prior is trained in a process of its own, whose peak of resident memory counts, torch and all else included.
    Memory is at its highest after the first steps; a few are enough.

    Raises:
        RequestError: where a zoo of that size would be held in memory, or there is no such peak to read.
    """
    if not STATUS.exists():
        raise RequestError("the peak of a process's memory is read from /proc, which this system has not")
    if gigabytes * 1e9 <= IN_MEMORY:
        raise RequestError(f"a zoo of {gigabytes} GB would be held in memory; ask for more than {IN_MEMORY / 1e9:.2f}")
    with tempfile.TemporaryDirectory() as folder:
        store, size = ZooStore(Path(folder)), _space_size()
        blocks = max(1, round(gigabytes * 1e9 / (4 * size * BLOCK)))
        written, plain = _written(store, blocks), _plain(Path(folder) / "plain", blocks, size)
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as alone:
            bare, peak = alone.submit(_peak, Path(folder), blocks * BLOCK).result()
    held = 4e-9 * size * BLOCK * blocks
    return Table(
        f"store: {blocks * BLOCK:,} perceptrons 2-512-512-2 of {size:,} weights, torch {torch.__version__}",
        (
            Row("the zoo on disk", held, "GB"),
            Row("peak of memory, torch loaded and no more", bare, "GB"),
            Row("peak of memory after training", peak, "GB", "the zoo", peak / held, f"{STEPS} steps, batch {BATCH}"),
            Row("written in blocks of 64", written, "s", "the bytes alone, flushed", written / plain),
        ),
    )  # fmt: skip


def _family() -> TaskFamily:
    return cast(TaskFamily, build(load_registry(), "task_family", PartConfig("gaussians")))


def _space_size() -> int:
    return cast(Architecture, build(load_registry(), "architecture", NETWORK)).space(_family().shape).size


def _random_blocks(blocks: int, size: int) -> Iterator[Tensor]:
    generator = torch.Generator().manual_seed(0)
    return (torch.randn(BLOCK, size, generator=generator) for _ in range(blocks))


def _written(store: ZooStore, blocks: int) -> float:
    """Seconds that the store takes for random networks."""
    space, seconds = cast(Architecture, build(load_registry(), "architecture", NETWORK)).space(_family().shape), 0.0
    store.begin(space, {})
    for number, x in enumerate(_random_blocks(blocks, space.size)):
        start = time.perf_counter()
        store.append(number, x, torch.zeros(BLOCK), torch.arange(BLOCK) % TASKS, 0.0)
        seconds += time.perf_counter() - start
    return seconds


def _plain(path: Path, blocks: int, size: int) -> float:
    """Seconds that files of the same bytes take, each flushed to disk."""
    seconds = 0.0
    for x in _random_blocks(blocks, size):
        start = time.perf_counter()
        with path.open("wb") as file:
            file.write(x.numpy().data)
            file.flush()
            os.fsync(file.fileno())
        seconds += time.perf_counter() - start
    return seconds


def _peak(folder: Path, networks: int) -> tuple[float, float]:
    """Gigabytes of memory that this process has taken at most: before it sees the zoo, and after training on it."""
    torch.set_num_threads(1)
    before = resident_peak() / 1e9
    tasks = _family().draw(TASKS, 0, 0, torch.Generator().manual_seed(0)).seen
    zoo = load_zoo(ZooStore(folder), tasks, ZooSection(size=networks, block=BLOCK))
    design = Design(NETWORK, **PARTS, predict="v", steps=0)
    train_prior(design, load_registry(), zoo, TrainSection(steps=STEPS, batch=BATCH), 0)
    return before, resident_peak() / 1e9
