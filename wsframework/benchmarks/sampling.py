"""What a sample costs, and what it is worth, by every built-in scheduler in few steps and many."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, cast

import torch

from wsframework.benchmarks import Row, Table
from wsframework.config.building import Named
from wsframework.errors import RequestError
from wsframework.parts.entrypoints import load_registry
from wsframework.parts.interfaces import TaskFamily
from wsframework.pipeline.in_memory import fit_prior, train_zoo
from wsframework.prior import Prior
from wsframework.randomness import generator
from wsframework.tasks import TaskBatch, TaskSplits
from wsframework.training import query_scores

NETWORK: Named = {"use": "mlp", "widths": [8]}
DENOISER: Named = {"use": "deepsets", "width": 32, "blocks": 2}
STEPS = (5, 10, 20, 50)
SAMPLERS: Mapping[str, Mapping[str, Named]] = {
    "ddpm": {"ddpm": "ddpm", "ddim": "ddim", "dpm_solver": "dpm_solver"},
    "flow": {"flow, Euler": {"solver": "euler"}, "flow, Heun": {"solver": "heun"}},
    "edm": {"edm, Euler": {"solver": "euler"}, "edm, Heun": {"solver": "heun"}},
}
"""The schedulers that a prior is trained with, and those that it is then sampled by."""
BESIDE = "ddpm, 50 steps"


def run(*, networks: int = 256, training: int = 1500, judged: int = 200, turns: int = 3) -> Table:
    """Three priors, one for each noise process, are trained alike on one zoo, and sampled for tasks never seen.

    The figure is the median loss on query data, before any step of fine-tuning. Times are of processor time, the least
    of so many turns, all tasks at once.

    Raises:
        RequestError: where there is nothing to train on, or to judge.
    """
    if min(networks, training, judged, turns) < 1:
        raise RequestError("a prior is trained on at least one network in one step, and judged on one task in one turn")
    family = cast(TaskFamily, load_registry().get("task_family", "gaussians")())
    tasks = family.draw(networks, 0, judged, generator(0, "tasks"))
    zoo = train_zoo(NETWORK, tasks.seen)
    found: dict[str, dict[str, Any]] = {}
    for trained, samplers in SAMPLERS.items():
        prior = fit_prior(zoo, network=NETWORK, scheduler=trained, denoiser=DENOISER, steps=training)
        for name, sampler in samplers.items():
            for steps in STEPS:
                found[f"{name}, {steps} steps"] = _judged(prior.with_scheduler(sampler, steps), tasks, turns)
    least = found[BESIDE]["loss"]
    title = f"sampling: {judged} tasks, {torch.get_num_threads()} threads, torch {torch.__version__}"
    return Table(title, tuple(_row(name, one, least) for name, one in found.items()))


def _row(name: str, found: Mapping[str, Any], beside: float) -> Row:
    note = f"{1e3 * found['seconds']:.3g} ms a network, {found['calls']} calls of the denoiser"
    if name == BESIDE:
        return Row(name, found["loss"], "nats", note=note)
    return Row(name, found["loss"], "nats", BESIDE, found["loss"] / beside, note)


def _judged(prior: Prior, tasks: TaskSplits, turns: int) -> dict[str, Any]:
    """The median query loss of a draw for each held-out task, the seconds of one, and the calls of the denoiser."""
    features, seconds, calls = prior.describe(tasks.held_out), list[float](), list[int]()

    def called(*_: object) -> None:
        calls.append(1)

    counting = prior.denoiser.register_forward_hook(called)
    for _ in range(turns):
        begin = time.process_time()
        x = prior.sample_features(features, generator(0, "draws"))
        seconds.append(time.process_time() - begin)
    counting.remove()
    losses, _ = query_scores(prior.architecture, prior.shape, x, TaskBatch.of(tasks.held_out))
    return {"loss": losses.median().item(), "seconds": min(seconds) / len(x), "calls": len(calls) // turns}
