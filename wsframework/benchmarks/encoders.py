"""What encoders lose, measured in function: networks that were encoded and decoded again, on their own tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor

from wsframework.benchmarks import Row, Table
from wsframework.config.building import as_config, build
from wsframework.config.sections import PartConfig
from wsframework.parts.entrypoints import load_registry
from wsframework.parts.interfaces import TaskFamily
from wsframework.pipeline.in_memory import train_zoo
from wsframework.pipeline.train import fit_encoder
from wsframework.prior import Prior
from wsframework.prior_config import Design
from wsframework.randomness import generator
from wsframework.spaces import Weights
from wsframework.tasks import TaskBatch
from wsframework.training import query_scores
from wsframework.zoo import Zoo

FAMILY = PartConfig("gaussians", {"arrangement": "scattered", "modes": 2})
NETWORK = PartConfig("mlp", {"widths": (16, 16)})
SANE: dict[str, Any] = {"use": "sane", "channels": 2, "augment": "none"}
ENCODERS: dict[str, dict[str, Any]] = {
    "orbit": {"use": "orbit"},
    "pca, 32": {"use": "pca", "components": 32},
    "pca, 136": {"use": "pca", "components": 136},
    "canonical, pca, 32": {"use": "canonical", "neurons": "align", "inner": {"use": "pca", "components": 32}},
    "canonical, pca, 136": {"use": "canonical", "neurons": "align", "inner": {"use": "pca", "components": 136}},
    "sane": SANE,
    "canonical, sane": {"use": "canonical", "neurons": "align", "inner": SANE},
}
"""By the name of a row, the encoder; the last two have as many latents as 136 components."""


def run(
    *, networks: int = 512, held: int = 128, epochs: int = 20, encoders: Mapping[str, dict[str, Any]] = ENCODERS
) -> Table:
    """Query losses of ``held`` networks after encoders that were fitted to ``networks`` others, and before."""
    family = cast(TaskFamily, build(load_registry(), "task_family", FAMILY))
    tasks = family.draw(networks + held, 0, 0, generator(0, "encoders")).seen
    zoo = train_zoo({"use": NETWORK.use, **NETWORK.options}, tasks, epochs=epochs)
    seen = Zoo(*_part(zoo, slice(held, None)), tasks[held:], zoo.loss[held:])
    unseen = Zoo(*_part(zoo, slice(None, held)), tasks[:held], zoo.loss[:held])
    mean = seen.weights.x.mean(0).expand_as(unseen.weights.x)
    as_they_are = _scores(unseen, unseen.weights.x)
    rows = [
        _row("as they are", as_they_are, as_they_are, ""),
        _row("their mean", _scores(unseen, mean), as_they_are, ""),
    ]
    for name, encoder in encoders.items():
        after, latents = _after(as_config(encoder), seen, unseen)
        rows.append(_row(name, after, as_they_are, f"{latents} latents, "))
    title = f"encoders: {held} perceptrons 2-16-16-2 of {zoo.weights.space.size} weights, encoded and decoded; "
    return Table(f"{title}{networks} others fitted to; torch {torch.__version__}", tuple(rows))


def _part(zoo: Zoo, some: slice) -> tuple[Weights, Tensor]:
    """Networks of a zoo that has one a task, and their tasks."""
    x = zoo.weights.x[some]
    return Weights(zoo.weights.space, x), torch.arange(len(x))


@torch.no_grad()
def _scores(zoo: Zoo, x: Tensor) -> tuple[float, float]:
    """Mean query loss and accuracy of networks x (networks, size) on the zoo's tasks."""
    architecture = build(load_registry(), "architecture", NETWORK)
    losses, accuracies = query_scores(architecture, zoo.tasks[0].shape, x, TaskBatch.of(zoo.tasks))
    return losses.mean().item(), accuracies.mean().item()


def _after(encoder: PartConfig, seen: Zoo, unseen: Zoo) -> tuple[tuple[float, float], int]:
    """Scores of the unseen networks once they were encoded and decoded, and how many latents there were."""
    plain = PartConfig("none"), PartConfig("ddpm"), PartConfig("mlp_unet", {"width": 8})
    prior = Prior(Design(NETWORK, encoder, *plain), seen.tasks[0].shape)
    fit_encoder(prior, seen.weights.x, seen.tasks)
    z = prior.encoder.encode(unseen.weights.x, prior.space)
    return _scores(unseen, prior.encoder.decode(z, prior.space)), prior.latent.size


def _row(name: str, found: Sequence[float], before: Sequence[float], note: str) -> Row:
    ratio = found[0] / before[0]
    return Row(name, found[0], "nats", "as they are", ratio, f"{note}accuracy {found[1]:.1%}")
