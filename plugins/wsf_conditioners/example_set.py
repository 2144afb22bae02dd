"""`ExampleSet`: a network over the raw support examples, whatever their order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import torch
from torch import Tensor, nn

from wsf_conditioners.examples import Places
from wsf_conditioners.perceptron import Count, perceptron
from wsf_conditioners.set_layers import AttentionPool, InducedBlock, MeanBlock, MeanPool
from wsframework.errors import PartError
from wsframework.parts.interfaces import TaskConditioner
from wsframework.parts.statistics import Statistics
from wsframework.parts.values import Least
from wsframework.tasks import Task, TaskShape


class ExampleSet(TaskConditioner):
    """A set network over the raw support examples: inputs, and classes or targets. It sees nothing else.

    An example is a token; blocks let tokens exchange with those of their class and with all, and an MLP reads each
    class's pool. While it is trained, it is shown another draw of the kept examples at every step, from a single one
    up to as many as it looks at, so that it comes to know tasks by few examples. Features are the examples themselves,
    with one scale for all of them.

    Arguments:
        shape: of the tasks.
        width: channels of a token, and hidden units of the MLP.
        size: length of the embedding.
        examples: of each class, how many it looks at, at most; where tasks have no classes, of all.
        kept: of each class, how many the features hold to draw from; no fewer than are looked at.
        blocks: residual blocks before the pool.
        inducing: points of each block's attention; with 0, blocks have means in the place of attention.
        heads: of every attention.
        pool: what a class's tokens become one by.
    """

    name = "set"
    paper = "Zaheer et al. 2017, arXiv:1703.06114; Lee et al. 2019, arXiv:1810.00825"
    symmetry = "invariant"

    def __init__(
        self,
        shape: TaskShape,
        *,
        width: Count = 128,
        size: Count = 64,
        examples: Count = 32,
        kept: Count = 64,
        blocks: Annotated[int, Least(0)] = 2,
        inducing: Annotated[int, Least(0)] = 0,
        heads: Count = 4,
        pool: Literal["mean", "attention"] = "mean",
    ) -> None:
        super().__init__()
        attends = inducing > 0 or pool == "attention"
        if attends and width % heads:
            raise PartError(f"conditioner 'set': heads = {heads} do not share width = {width} evenly")
        self.size, self.examples = size, examples
        self.places = Places(shape, max(kept, examples))
        self.read = nn.Sequential(nn.Linear(self.places.row, width), nn.SiLU(), nn.Linear(width, width))
        self.blocks = nn.ModuleList(
            InducedBlock(width, heads, inducing) if inducing else MeanBlock(width) for _ in range(blocks)
        )
        self.pool = AttentionPool(width, heads) if pool == "attention" else MeanPool()
        self.mlp = perceptron(self.places.groups * (width + 1), width, size)

    def describe(self, task: Task) -> Tensor:
        """The examples in their places, in float32: (features,)."""
        return self.places.filled(task.support)

    def called(self, task: Task) -> Sequence[str]:
        """Which number of an example."""
        return self.places.called()

    def statistics(self, features: Tensor) -> Statistics:
        """One scale for all examples: a coordinate's mean and deviation over those of all seen tasks."""
        return self.places.statistics(features)

    def forward(self, features: Tensor) -> Tensor:
        """Examples in a common scale (batch, features) to (batch, size)."""
        examples, taken = self.places.read(features)
        draw = _some if self.training else _first
        examples, taken = draw(examples, taken, self.examples)
        h = self.read(examples)
        for block in self.blocks:
            h = block(h, taken)
        share = taken.to(h).mean(-1, keepdim=True)
        embedding: Tensor = self.mlp(torch.cat([self.pool(h, taken), share], -1).flatten(1))
        return embedding


def _first(examples: Tensor, taken: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The first ``count`` places of each group."""
    return examples[:, :, :count], taken[:, :, :count]


def _some(examples: Tensor, taken: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Of each group, a number of its examples that is drawn from 1 to ``count``, drawn from all that there are.

    Arguments:
        examples: (batch, groups, kept, row).
        taken: which places are, (batch, groups, kept).
    """
    lot = torch.rand(taken.shape, device=taken.device).masked_fill(~taken, -1.0)
    place = lot.topk(count, -1).indices
    most = torch.randint(1, count + 1, (*taken.shape[:2], 1), device=taken.device)
    drawn = taken.gather(-1, place) & (torch.arange(count, device=taken.device) < most)
    return examples.take_along_dim(place.unsqueeze(-1), -2), drawn
