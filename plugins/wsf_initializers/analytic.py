"""`Analytic`: linear discriminant analysis in closed form, written into a network exactly."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

from wsframework.errors import NotApplicable
from wsframework.parts.interfaces import Initializer, Setting
from wsframework.spaces import WeightSpace
from wsframework.tasks import Data, Task


def log_odds(data: Data) -> tuple[Tensor, Tensor]:
    """The discriminant of two Gaussian classes of equal covariance S: slope (d,) and constant, in float64.

    ``log p(1|x) / p(0|x) = (mu_1 - mu_0)' S^-1 (x - (mu_0 + mu_1) / 2) + log n_1 / n_0``, with the pooled
    covariance's likeliest value and, where it is singular, its pseudo-inverse; where it is zero, the
    identity. If a class has no examples, the slope is zero and the constant ``+- log (n + 1)``.
    """
    x, y = data.x.flatten(1).double(), data.y
    counts = torch.bincount(y, minlength=2).to(x)
    if not counts.all():
        return torch.zeros_like(x[0]), torch.log((counts[1] + 1) / (counts[0] + 1))
    means = torch.stack([x[y == k].mean(0) for k in range(2)])
    deviation = x - means[y]
    covariance = deviation.T @ deviation / len(x)
    if not covariance.any():
        covariance = torch.eye(len(covariance)).to(x)
    slope = torch.linalg.pinv(covariance, hermitian=True) @ (means[1] - means[0])
    return slope, torch.log(counts[1] / counts[0]) - slope @ means.mean(0)


def write(space: WeightSpace, x: Tensor, slope: Tensor, constant: Tensor) -> None:
    """Write the margin ``m = slope . input + constant`` into the network x (size,), in place.

    The first two neurons of each hidden layer carry ``f(m)`` and ``f(-m)``, whose difference is m; the
    outputs are ``-m / 2`` and ``m / 2``. The other neurons keep the incoming weights that they have, and
    lead to no output: the function is exact, and fine-tuning can still take up the network's full capacity,
    as the gradient of those outgoing zeros is not zero.
    """
    layers = _layers(space, x)
    signs = torch.tensor([1.0, -1.0], device=x.device)
    weight, bias = layers[0]
    weight[:2], bias[:2] = torch.outer(signs, slope.to(x)), signs * constant.to(x)
    for weight, bias in layers[1:-1]:
        weight[:2], bias[:2] = 0.0, 0.0
        weight[:2, :2] = torch.eye(2)
    weight, bias = layers[-1]
    weight[:], bias[:] = 0.0, 0.0
    weight[:, :2] = -torch.outer(signs, signs) / 2


def _layers(space: WeightSpace, x: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Views of weight and bias of each layer, in order; of a perceptron only."""
    values = list(space.unflatten(x).values())
    return list(zip(values[::2], values[1::2], strict=True))


class Analytic(Initializer):
    """Linear discriminant analysis of the support data, as a network: no zoo and no training.

    A control: it says how much of a task has a closed form. Only for two classes and for perceptrons with
    biases and two or more neurons in each of one or more hidden layers, whose activation has
    ``f(m) - f(-m) = m`` (ReLU at any depth; GELU and SiLU with one hidden layer). Draws differ in the neurons
    that are not needed, which keep random incoming weights.
    """

    name = "analytic"
    paper = "Fisher 1936"
    role = "control"

    def fit(self, setting: Setting) -> None:
        """Checks that the network can hold the answer; nothing is learned.

        Raises:
            NotApplicable: where tasks don't have two classes, or the network is no such perceptron.
        """
        if setting.shape.outputs != (2,) or setting.zoo.tasks[0].support.y.is_floating_point():
            raise NotApplicable("'analytic' is a discriminant between two classes, and these tasks don't have two.")
        self.architecture, self.shape = setting.architecture, setting.shape
        self.space = setting.architecture.space(setting.shape)
        fault = structural_fault(self.space) or self._functional_fault(setting)
        if fault:
            raise NotApplicable(f"'analytic' is written into perceptrons with biases and ReLU; this network {fault}.")

    def _functional_fault(self, setting: Setting) -> str:
        """What shows, when a margin is written and read back on a seen task's inputs, that the writing fails."""
        data = setting.zoo.tasks[0].support
        slope, constant = torch.ones(data.x[0].numel()), -data.x.flatten(1).sum(1).median()
        x = self.architecture.initialize(self.shape, 1, setting.generator)
        write(self.space, x[0], slope, constant)
        outputs = self.architecture.apply(self.shape, self.space.unflatten(x), data.x.unsqueeze(0))[0]
        margin = data.x.flatten(1) @ slope + constant
        exact = torch.allclose(outputs[:, 1] - outputs[:, 0], margin, rtol=1e-3, atol=1e-3 * float(margin.abs().max()))
        return "" if exact else "has an activation without f(m) - f(-m) = m"

    def weights(self, tasks: Sequence[Task], draws: int, generator: torch.Generator) -> Tensor:
        """The discriminant of each task's support data: (tasks, draws, size)."""
        starts = self.architecture.initialize(self.shape, len(tasks) * draws, generator)
        starts = starts.reshape(len(tasks), draws, -1)
        for task, start in zip(tasks, starts, strict=True):
            slope, constant = log_odds(task.support)
            for x in start:
                write(self.space, x, slope, constant)
        return starts


def structural_fault(space: WeightSpace) -> str:
    """What is wrong with the shapes, for a chain of weights and biases with two hidden neurons or more."""
    shapes = list(space.shapes.values())
    if len(shapes) % 2 or any(len(w) != 2 or b != w[:1] for w, b in zip(shapes[::2], shapes[1::2], strict=True)):
        return "is no chain of matrices with biases"
    matrices = shapes[::2]
    if any(first[0] != second[1] for first, second in pairwise(matrices)):
        return "is no chain of matrices with biases"
    if len(matrices) < 2:
        return "has no hidden layer"
    narrow = min(rows for rows, _ in matrices[:-1])
    return "" if narrow >= 2 else f"has a hidden layer of {narrow}"
