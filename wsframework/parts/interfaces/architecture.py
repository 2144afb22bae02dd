"""`Architecture`: networks and their weight space."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from wsframework.parts.interfaces.part import Part
from wsframework.spaces import WeightSpace
from wsframework.tasks import TaskShape


class Architecture(Part):
    """Builds a network for a task, and states the weight space of what it builds."""

    kind = "architecture"

    @abstractmethod
    def network(self, shape: TaskShape) -> nn.Module:
        """A network that maps (batch, *shape.inputs) to (batch, *shape.outputs), initialised by torch's default."""

    @abstractmethod
    def space(self, shape: TaskShape) -> WeightSpace:
        """The weight space of ``network(shape)``; its parameter names are those of the state dict."""

    def initialize(self, shape: TaskShape, count: int, generator: torch.Generator) -> Tensor:
        """``count`` independent random initialisations, flat: (count, space.size).

        This default builds the modules one by one; an architecture with a batched form overrides it.
        """
        space = self.space(shape)
        seeds = torch.randint(2**62, (count,), generator=generator).tolist()
        rows = []
        with torch.random.fork_rng(devices=[]):
            for seed in seeds:
                torch.default_generator.manual_seed(seed)
                rows.append(space.flatten(self.network(shape).state_dict()))
        return torch.stack(rows)

    def apply(self, shape: TaskShape, parameters: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
        """Many networks at once: parameters (networks, *), inputs (networks, points, *inputs).

        Returns outputs (networks, points, *outputs). This default runs ``network`` under `torch.vmap`.
        """
        network = self.network(shape)

        def one(p: dict[str, Tensor], x: Tensor) -> Tensor:
            outputs: Tensor = torch.func.functional_call(network, p, (x,))
            return outputs

        result: Tensor = torch.vmap(one)(dict(parameters), inputs)
        return result

    def apply_training(self, shape: TaskShape, parameters: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
        """What `apply` gives while networks are trained: batch normalisation, by the statistics of these inputs.

        This default is for architectures that compute the same in training and afterwards.
        """
        return self.apply(shape, parameters, inputs)

    def calibrate(self, shape: TaskShape, x: Tensor, inputs: Tensor) -> Tensor:
        """Networks x (networks, size) with the statistics of inputs (networks, points, *inputs), which need no labels.

        On the same inputs ``apply`` then gives what ``apply_training`` does. This default is for those that keep none.
        """
        return x
