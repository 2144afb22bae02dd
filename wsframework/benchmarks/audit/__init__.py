"""Whether the audit of memorisation tells samplers of known kind apart: how often it is wrong, and how often right."""

from __future__ import annotations

import time
from collections import Counter

import torch

from wsframework.audit import Targets
from wsframework.audit.bar import Bar
from wsframework.audit.verdict import judged
from wsframework.benchmarks import Row, Table
from wsframework.benchmarks.audit.samplers import SAMPLERS, Pool, convolutional, perceptrons
from wsframework.device import one_thread
from wsframework.randomness import generator

ZOO = 60
SAMPLES = 20
CANDIDATES = 8
ROOT = 1
"""Of the networks' training and of the deals: the levels of the tests were chosen with those of root 0."""


def run(*, repeats: int = 100, tasks: int = 90, seeds: int = 6, epochs: int = 8) -> Table:
    """Verdicts on samplers of known kind: on zoos of 60 perceptrons and of 60 convolutional networks, ``repeats`` each.

    Each time the zoo and 20 fresh networks, trained for tasks of the zoo from other starts, are dealt out of networks
    for so many ``tasks``, of each one as many as there are ``seeds``. The figure is the share of verdicts that are
    right; the note counts what else was said. The last row is the share of networks whose nearest network is among
    the candidates of the first pass.
    """
    with one_thread():
        rows = []
        for name, make in (("perceptrons", perceptrons), ("convolutional networks", convolutional)):
            rows += _rows(name, make(tasks, seeds, epochs, ROOT), repeats)
    title = f"audit: zoos of {ZOO}, {SAMPLES} samples, {repeats} repeats; 1 thread, torch {torch.__version__}"
    return Table(title, tuple(rows))


def _rows(name: str, pool: Pool, repeats: int) -> list[Row]:
    start = time.process_time()
    said: dict[str, Counter[str]] = {sampler: Counter() for sampler in SAMPLERS}
    for repeat in range(repeats):
        for sampler, kind in verdicts(pool, repeat).items():
            said[sampler][kind] += 1
    seconds = (time.process_time() - start) / repeats / len(SAMPLERS)
    rows = [_row(f"{name}: {sampler}", counts, SAMPLERS[sampler][1]) for sampler, counts in said.items()]
    return [*rows, Row(f"{name}: an audit", seconds, "s", note="of processor time"), _recall(name, pool)]


def verdicts(pool: Pool, repeat: int) -> dict[str, str]:
    """The kind of the verdict on each sampler, on one zoo dealt out of ``pool``."""
    random = generator(ROOT, "audit", "dealt", repeat)
    zoo, fresh = pool.dealt(ZOO, SAMPLES, random)
    targets = Targets(zoo)
    peers = targets.among(torch.arange(len(zoo)), CANDIDATES)
    bar = Bar.of(peers)
    samples = {name: sampler(zoo, fresh, random) for name, (sampler, _) in SAMPLERS.items()}
    return {name: judged(targets.nearest(some, CANDIDATES), peers, bar).kind for name, some in samples.items()}


def _row(name: str, counts: Counter[str], right: str) -> Row:
    others = ", ".join(f"{kind} {count}" for kind, count in counts.items() if kind != right)
    return Row(name, counts[right] / counts.total(), "right", note=f"{right}{f'; but {others}' if others else ''}")


def _recall(name: str, pool: Pool) -> Row:
    """How often the nearest of all networks is among the candidates, and how much farther away the one found is."""
    zoo, fresh = pool.dealt(ZOO, SAMPLES, generator(ROOT, "audit", "recall"))
    targets = Targets(zoo)
    few, every = (targets.nearest(fresh, count) for count in (CANDIDATES, ZOO))
    share = (few.index == every.index).double().mean().item()
    excess = (few.distance / every.distance - 1).mean().item()
    return Row(f"{name}: nearest among {CANDIDATES} candidates", share, "found", note=f"farther by {excess:.1%}")
