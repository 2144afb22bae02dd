"""`MeanEmbedding`: moments and mean random Fourier features, which tell apart what moments can't."""

from __future__ import annotations

import math
from typing import Annotated

import torch
from torch import Tensor

from wsf_conditioners.moments import called, classes, flat, moments, moments_length, padded
from wsf_conditioners.perceptron import Count, perceptron
from wsframework.parts.interfaces import TaskConditioner
from wsframework.parts.values import Least
from wsframework.tasks import Data, Task, TaskShape


class MeanEmbedding(TaskConditioner):
    """An MLP over moments and over each class's mean of ``cos(w . x + b)``.

    With ``w ~ N(0, I / bandwidth^2)`` and ``b ~ U[0, 2 pi)`` the mean of these features is a kernel mean
    embedding of the class under the Gaussian kernel: it sees several modes where moments see one.
    With labels at every position of a sequence, each position is an example. For tasks without classes the mean is
    over all examples, of ``cos(w . (x, y) + b)``.

    Arguments:
        shape: of the tasks.
        width: hidden units of the MLP.
        size: length of the embedding.
        features: number of frequencies.
        bandwidth: of the kernel, in units of the inputs: features blur what is nearer than this.
        seed: of the frequencies.
    """

    name = "embedding"
    paper = "Rahimi & Recht 2007; Muandet et al. 2017, arXiv:1605.09522"
    symmetry = "invariant"
    frequencies: Tensor
    phases: Tensor

    def __init__(
        self,
        shape: TaskShape,
        *,
        width: Count = 64,
        size: Count = 64,
        features: Count = 64,
        bandwidth: Annotated[float, Least(0, strict=True)] = 2.0,
        seed: Annotated[int, Least(0)] = 0,
    ) -> None:
        super().__init__()
        self.shape = shape
        self.size = size
        d, m = math.prod(shape.inputs), math.prod(shape.outputs)
        generator = torch.Generator().manual_seed(seed)
        self.register_buffer("frequencies", torch.randn(features, d + m, generator=generator) / bandwidth)
        self.register_buffer("phases", 2 * math.pi * torch.rand(features, generator=generator))
        self.mlp = perceptron(moments_length(shape) + classes(shape) * features, width, size)

    def describe(self, task: Task) -> Tensor:
        """Moments, then mean Fourier features class by class, in float32: (features,)."""
        found = torch.cat([moments(task.support, self.shape), self._mean_features(task.support)])
        return padded(found, moments_length(self.shape) + classes(self.shape) * len(self.phases)).float()

    def called(self, task: Task) -> list[str]:
        """Which moment of what, for the moments that come first."""
        return called(task.support, self.shape)

    def _mean_features(self, data: Data) -> Tensor:
        """Means of ``cos(w . x + b)``: (classes * features,), zeros for a class without examples."""
        x, y = flat(data)
        frequencies, phases = self.frequencies.to(x), self.phases.to(x)
        if y.is_floating_point():
            return torch.cos(torch.cat([x, y], dim=1) @ frequencies.T + phases).mean(0)
        waves = torch.cos(x @ frequencies[:, : x.shape[1]].T + phases)
        member = torch.nn.functional.one_hot(y, classes(self.shape)).to(x)
        return (member.T @ waves / member.sum(0).clamp(min=1)[:, None]).flatten()

    def forward(self, features: Tensor) -> Tensor:
        """Standardised features (batch, features) to (batch, size)."""
        embedding: Tensor = self.mlp(features)
        return embedding
