"""Recurrent networks, whose steps are written from gates so that many networks take them together."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, ClassVar

import torch
from einops import rearrange
from torch import Tensor, nn

from wsf_networks import laws
from wsf_networks.sequences import Sequence, positions, sequence
from wsframework.errors import SpaceError
from wsframework.parts.interfaces import Architecture
from wsframework.parts.values import Least
from wsframework.spaces import WeightSpace
from wsframework.tasks import TaskShape

KINDS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


class RecurrentNetwork(nn.Module):
    """Recurrent layers, and a linear head on the last hidden state or on all of them."""

    def __init__(self, cells: nn.GRU | nn.RNN, read: Sequence, vocabulary: int) -> None:
        super().__init__()
        self.cells, self.head = cells, nn.Linear(cells.hidden_size, read.outputs)
        self.everywhere, self.vocabulary = read.everywhere, vocabulary

    def forward(self, x: Tensor) -> Tensor:
        """(batch, length, features), or token numbers (batch, length), to (batch, outputs) or one a position."""
        states = self.cells(positions(x, self.vocabulary))[0]
        outputs: Tensor = self.head(states if self.everywhere else states[:, -1])
        return outputs


class Recurrent(Architecture):
    """Layers that carry a hidden state along a sequence; what is left to a subclass is one step.

    Attributes:
        rows: the rows of a layer's weights, a product for each gate, with ``h`` for the dim of hidden states.
        layer: the module of torch that it is.
    """

    rows: ClassVar[str]
    layer: ClassVar[type[nn.GRU] | type[nn.RNN]]

    def __init__(
        self,
        *,
        width: Annotated[int, Least(1)] = 16,
        depth: Annotated[int, Least(1)] = 1,
        vocabulary: Annotated[int, Least(0)] = 0,
    ) -> None:
        self.width = width
        self.depth = depth
        self.vocabulary = vocabulary

    def read(self, shape: TaskShape) -> Sequence:
        """The sequence that inputs are.

        Raises:
            SpaceError: where it has one position, from which no state is carried on.
        """
        read = sequence(self.name, shape, self.vocabulary)
        if read.length < 2:
            raise SpaceError(f"{self.name!r} carries a state from position to position, and inputs here have only one")
        return read

    @abstractmethod
    def step(self, read: Tensor, kept: Tensor, h: Tensor) -> Tensor:
        """The next state, from what gates get of inputs and of states (networks, points, gates), and the state."""

    def network(self, shape: TaskShape) -> nn.Module:
        """The module itself."""
        read = self.read(shape)
        cells = self.layer(read.features, self.width, self.depth, batch_first=True)
        return RecurrentNetwork(cells, read, self.vocabulary)

    def space(self, shape: TaskShape) -> WeightSpace:
        """Hidden neurons are free, each with a sign: a state is made by a tangent, and gates have none."""
        read = self.read(shape)
        lines = [f"free hidden{i}:sign={self.width}" for i in range(self.depth)]
        lines += [f"fixed in={read.features} out={read.outputs}"]
        for i in range(self.depth):
            rows = self.rows.replace("h", f"hidden{i}")
            columns = {"weight_ih": f" hidden{i - 1}^1" if i else " in", "weight_hh": f" hidden{i}^1"}
            role = "hidden" if i else "input"
            lines += [f"cells.{kind}_l{i} {rows}{columns.get(kind, '')} as {role}.{kind}" for kind in KINDS]
        lines += [f"head.weight out hidden{self.depth - 1}^1 as output.weight", "head.bias out as output.bias"]
        return laws.stated("\n".join(lines))

    def initialize(self, shape: TaskShape, count: int, generator: torch.Generator) -> Tensor:
        """All networks at once, by torch's default: U(-1/sqrt(width), 1/sqrt(width)) throughout."""
        space = self.space(shape)
        found: dict[str, laws.Law] = {name: laws.Uniform(self.width**-0.5) for name in space.shapes}
        return laws.draw(space, found, count, generator)

    def apply(self, shape: TaskShape, parameters: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
        """All networks take a step together: inputs (networks, points, length, features) or tokens."""
        read = self.read(shape)
        h = positions(inputs.flatten(0, 1), self.vocabulary)
        h = rearrange(h, "(n p) t f -> n t p f", n=len(inputs))
        for i in range(self.depth):
            states = self._states(h, *(parameters[f"cells.{kind}_l{i}"] for kind in KINDS))
            whole = read.everywhere or i + 1 < self.depth
            h = torch.stack(states, 1) if whole else states[-1].unsqueeze(1)
        out = _products(h, parameters["head.weight"], parameters["head.bias"])
        return out.transpose(1, 2) if read.everywhere else out.squeeze(1)

    def _states(self, h: Tensor, weight: Tensor, back: Tensor, bias: Tensor, bias_back: Tensor) -> list[Tensor]:
        """Of one layer, one after the other, each (networks, points, width): h (networks, length, points, features)."""
        state = h.new_zeros(h.shape[0], h.shape[2], self.width)
        back, bias_back, states = back.mT.contiguous(), bias_back.unsqueeze(1), []
        for read in _products(h, weight, bias).unbind(1):
            state = self.step(read, torch.baddbmm(bias_back, state, back), state)
            states.append(state)
        return states


def _products(h: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """One linear layer a network, at all positions: (networks, length, points, features) to (..., rows)."""
    out = torch.baddbmm(bias.unsqueeze(1), h.flatten(1, 2), weight.mT)
    return out.reshape(*h.shape[:3], -1)


class Gru(Recurrent):
    """Gated recurrent units along a sequence, and a linear layer on the last state; torch's initialisation.

    Where a task asks for outputs (length, outputs), the linear layer reads the states at all positions. The sign of a
    state can be changed, together with the rows and columns that make and read it, gates excepted.

    Options:
        width: hidden neurons of each layer.
        depth: layers.
        vocabulary: if above 0, inputs (length,) are token numbers below it; they are rounded, and what lies beyond
            either end counts as the last token there. Else inputs are (length, features).
    """

    name = "gru"
    paper = "Cho et al. 2014, arXiv:1406.1078"
    rows = "(h + h + h^1)"
    layer = nn.GRU

    def step(self, read: Tensor, kept: Tensor, h: Tensor) -> Tensor:
        """Reset r, update z, candidate n: ``(1 - z) n + z h``."""
        width = self.width
        r, z = torch.sigmoid(read[..., : 2 * width] + kept[..., : 2 * width]).chunk(2, -1)
        n = torch.tanh(torch.addcmul(read[..., 2 * width :], r, kept[..., 2 * width :]))
        return torch.lerp(n, h, z)


class Rnn(Recurrent):
    """Recurrent layers of tangents along a sequence, and a linear layer on the last state; torch's initialisation.

    Where a task asks for outputs (length, outputs), the linear layer reads the states at all positions. The sign of a
    state can be changed, together with the rows and columns that make and read it.

    Options:
        width: hidden neurons of each layer.
        depth: layers.
        vocabulary: if above 0, inputs (length,) are token numbers below it; they are rounded, and what lies beyond
            either end counts as the last token there. Else inputs are (length, features).
    """

    name = "rnn"
    paper = "Elman 1990, Finding structure in time"
    rows = "h^1"
    layer = nn.RNN

    def step(self, read: Tensor, kept: Tensor, h: Tensor) -> Tensor:
        """``tanh(read + kept)``."""
        return torch.tanh(read + kept)
