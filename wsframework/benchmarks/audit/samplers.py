"""Samplers whose kind is known, and the trained networks that they draw from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from wsframework.alignment.symmetries import Symmetries
from wsframework.audit import references
from wsframework.parts.entrypoints import load_registry
from wsframework.parts.interfaces import TaskFamily
from wsframework.pipeline.in_memory import train_zoo
from wsframework.randomness import generator
from wsframework.spaces import Weights, WeightSpace
from wsframework.tasks import Data, Task


@dataclass(frozen=True, eq=False)
class Pool:
    """Trained networks x (tasks, seeds, size) of one space: of each task several, from starts of their own."""

    space: WeightSpace
    x: Tensor

    def dealt(self, zoo: int, samples: int, random: torch.Generator) -> tuple[Weights, Weights]:
        """A zoo with one network a task, and ``samples`` fresh networks for some of its tasks."""
        tasks = torch.randperm(len(self.x), generator=random)[:zoo]
        seeds = torch.rand(zoo, self.x.shape[1], generator=random).argsort(1)
        some = torch.randperm(zoo, generator=random)[:samples]
        x, fresh = self.x[tasks, seeds[:, 0]], self.x[tasks[some], seeds[some, 1]]
        return Weights(self.space, x), Weights(self.space, fresh)


PERCEPTRON = """
    free hidden:scale=16
    fixed in=2 out=2
    layers.0.weight  hidden^1 in
    layers.0.bias    hidden^1
    layers.1.weight  out hidden^-1
    layers.1.bias    out
"""

Sampler = Callable[[Weights, Weights, torch.Generator], Weights]
"""From a zoo and fresh networks for its tasks to as many samples as there are of these."""


def honest(_zoo: Weights, fresh: Weights, _random: torch.Generator) -> Weights:
    """The fresh networks."""
    return fresh


def copied(zoo: Weights, fresh: Weights, random: torch.Generator) -> Weights:
    """Networks of the zoo."""
    return Weights(zoo.space, zoo.x[torch.randint(len(zoo), (len(fresh),), generator=random)])


def moved(zoo: Weights, fresh: Weights, random: torch.Generator) -> Weights:
    """The same, each with its neurons in a random order, and random signs and scales."""
    return _moved(copied(zoo, fresh, random), random)


def noised(zoo: Weights, fresh: Weights, random: torch.Generator) -> Weights:
    """The same again, with a little noise: a tenth of the standard deviation of each orbit."""
    return _moved(references.noised(zoo, len(fresh), random), random)


def averaged(zoo: Weights, fresh: Weights, random: torch.Generator) -> Weights:
    """Averages of 16 networks, aligned to one of them."""
    return references.averages(zoo, len(fresh), random)


SAMPLERS: dict[str, tuple[Sampler, str]] = {
    "honest": (honest, "none"),
    "copies": (copied, "copies"),
    "copies, permuted and rescaled": (moved, "copies"),
    "copies, permuted, rescaled, with noise": (noised, "copies"),
    "averages of 16": (averaged, "averages"),
}
"""Every sampler, and the verdict that is right."""


def _moved(weights: Weights, random: torch.Generator) -> Weights:
    return Weights(weights.space, Symmetries.random(weights.space, len(weights), random).act(weights.x))


def perceptrons(tasks: int, seeds: int, epochs: int, root: int = 0) -> Pool:
    """Perceptrons 2-16-2 with ReLU, the scales of their neurons among the symmetries, for tasks of Gaussians."""
    seen = _family("gaussians").draw(tasks, 0, 0, generator(root, "tasks")).seen
    found = _trained({"use": "mlp", "widths": [16]}, seen, seeds, epochs, root)
    return Pool(WeightSpace.parse(PERCEPTRON), found.x)


def convolutional(tasks: int, seeds: int, epochs: int, root: int = 0) -> Pool:
    """Convolutional networks with ReLU, of 4 and 8 channels, for codes of digits."""
    seen = [_picture(task) for task in _family("digits").draw(tasks, 0, 0, generator(root, "tasks")).seen]
    return _trained({"use": "cnn", "channels": [4, 8]}, seen, seeds, epochs, root)


def _family(name: str) -> TaskFamily:
    made: TaskFamily = load_registry().get("task_family", name)()  # type: ignore[assignment]
    return made


def _picture(task: Task, points: int = 256) -> Task:
    """A task of digits with images in place of rows, and so many of them."""
    data = Data(task.support.x[:points].reshape(-1, 1, 8, 8), task.support.y[:points])
    return replace(task, shape=replace(task.shape, inputs=(1, 8, 8)), support=data, query=data)


def _trained(network: dict[str, object], tasks: Sequence[Task], seeds: int, epochs: int, root: int) -> Pool:
    found = train_zoo(network, list(tasks), size=seeds * len(tasks), epochs=epochs, seed=root)
    x = found.weights.x.reshape(seeds, len(tasks), -1).transpose(0, 1)
    return Pool(found.weights.space, x)
