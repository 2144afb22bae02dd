"""`Moments`: the paper's task embedding, an MLP over class counts and moments of the data."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from wsf_conditioners.perceptron import Count, perceptron
from wsframework.errors import PartError
from wsframework.parts.interfaces import TaskConditioner
from wsframework.tasks import Data, Task, TaskShape


def class_moments(x: Tensor, y: Tensor, classes: int) -> Tensor:
    """Of each class its share of the examples, then mean and standard deviation of each coordinate.

    Arguments:
        x: examples, (points, d), float64.
        y: classes, (points,), integers below ``classes``.

    Returns:
        (classes * (1 + 2 d),), class by class. A class without examples has zeros.
    """
    member = nn.functional.one_hot(y, classes).to(x)
    count = member.sum(0)
    share = member / count.clamp(min=1)
    mean = share.T @ x
    deviation = x - mean[y]
    std = (share.T @ deviation.square()).sqrt()
    return torch.cat([count[:, None] / max(len(x), 1), mean, std], dim=1).flatten()


def joint_moments(x: Tensor, y: Tensor) -> Tensor:
    """Moments of x (points, d) and y (points, m), both float64, and how they vary together.

    Returns:
        Mean and standard deviation of every coordinate of x, then of y, then all correlations:
        (2 d + 2 m + d m,). The correlation with a coordinate that does not vary is zero.
    """
    means = x.mean(0), y.mean(0)
    dx, dy = x - means[0], y - means[1]
    sx, sy = dx.square().mean(0).sqrt(), dy.square().mean(0).sqrt()
    scale = sx[:, None] * sy[None, :]
    correlation = torch.where(scale > 0, (dx.T @ dy) / len(x) / scale.clamp(min=1e-300), 0.0)
    return torch.cat([means[0], sx, means[1], sy, correlation.flatten()])


def flat(data: Data) -> tuple[Tensor, Tensor]:
    """Inputs (examples, d) in float64; classes as they are, (examples,), other targets (examples, m) in float64.

    Where classes are labels of positions, (points, length), every position is an example: of the input at this
    position where inputs have positions, too, or else of all that there is.
    """
    x, y = data.x.double(), data.y
    if y.is_floating_point():
        return x.flatten(1), y.flatten(1).double()
    if y.dim() == 1:
        return x.flatten(1), y
    at_positions = x.shape[: y.dim()] == y.shape
    x = x.flatten(0, y.dim() - 1) if at_positions else x.repeat_interleave(y[0].numel(), 0)
    return x.reshape(y.numel(), -1), y.flatten()


def moments(data: Data, shape: TaskShape) -> Tensor:
    """`class_moments` where the targets are classes, else `joint_moments`: (moments_length(shape),), float64.

    Raises:
        PartError: where the targets are not what a network puts out, and may tell its answers.
    """
    x, y = flat(data)
    if y.is_floating_point() and y.shape[1] != math.prod(shape.outputs):
        raise PartError(
            f"moments of {y.shape[1]} targets were asked for, where a network has {math.prod(shape.outputs)} outputs: "
            "these targets are for an objective of the tasks' own; conditioner 'code' describes tasks without them"
        )
    found = joint_moments(x, y) if y.is_floating_point() else class_moments(x, y, classes(shape))
    return padded(found, moments_length(shape))


def called(data: Data, shape: TaskShape) -> list[str]:
    """What each of the `moments` is, in words."""
    x, y = flat(data)
    if not y.is_floating_point():
        of_inputs = [f"{what} of input {i + 1}" for what in ("mean", "deviation") for i in range(x.shape[1])]
        each = [["share of class {}", *(f"{what} in class {{}}" for what in of_inputs)]] * classes(shape)
        return [what.format(k) for k, words in enumerate(each) for what in words]
    both = (("input", x.shape[1]), ("target", y.shape[1]))
    alone = [f"{what} of {side} {i + 1}" for side, n in both for what in ("mean", "deviation") for i in range(n)]
    pairs = [(i + 1, j + 1) for i in range(x.shape[1]) for j in range(y.shape[1])]
    return alone + [f"correlation of input {i} and target {j}" for i, j in pairs]


def classes(shape: TaskShape) -> int:
    """How many classes there are, if that is what the tasks are about: the last axis of the outputs."""
    return math.prod(shape.outputs[-1:])


def moments_length(shape: TaskShape) -> int:
    """The longer of the two layouts, as a shape alone does not say which of them its tasks have."""
    d, m = math.prod(shape.inputs), math.prod(shape.outputs)
    return max(classes(shape) * (1 + 2 * d), 2 * d + 2 * m + d * m)


def padded(features: Tensor, length: int) -> Tensor:
    """Features (k,) followed by zeros: (length,)."""
    return nn.functional.pad(features, (0, length - len(features)))


class Moments(TaskConditioner):
    """An MLP over moments of the support data.

    For classification: of each class its share, mean and standard deviation; with labels at every position of a
    sequence, each position is an example. For other tasks: mean and standard deviation of inputs and targets, and
    their correlations.

    Arguments:
        shape: of the tasks.
        width: hidden units of the MLP.
        size: length of the embedding.
    """

    name = "moments"
    symmetry = "invariant"

    def __init__(self, shape: TaskShape, *, width: Count = 64, size: Count = 64) -> None:
        super().__init__()
        self.shape = shape
        self.size = size
        self.mlp = perceptron(moments_length(shape), width, size)

    def describe(self, task: Task) -> Tensor:
        """Moments of the support data, in float32: (features,)."""
        return moments(task.support, self.shape).float()

    def called(self, task: Task) -> list[str]:
        """Which moment of what."""
        return called(task.support, self.shape)

    def forward(self, features: Tensor) -> Tensor:
        """Standardised moments (batch, features) to (batch, size)."""
        embedding: Tensor = self.mlp(features)
        return embedding
