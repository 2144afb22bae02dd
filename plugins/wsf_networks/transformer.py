"""Transformers: encoders that classify, and causal models that answer at each position."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional

from wsf_networks import laws
from wsf_networks.activations import FUNCTIONS, GAUGES
from wsf_networks.sequences import Sequence, positions, sequence
from wsframework.parts.interfaces import Architecture
from wsframework.parts.values import Least
from wsframework.spaces import WeightSpace
from wsframework.tasks import TaskShape

SMALL = 0.02
"""Deviation of positions and of the class token at the start."""


class TransformerBlock(nn.Module):
    """Attention, then a perceptron, each added to the stream that it reads normalised."""

    def __init__(self, part: Transformer) -> None:
        super().__init__()
        width = part.width
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, part.feed_forward), nn.Linear(part.feed_forward, width)
        self.part = part

    def forward(self, stream: Tensor) -> Tensor:
        """(batch, positions, width) to the same shape."""
        attended = self.part.attention(self.qkv(self.before(stream)))
        stream = stream + self.out(attended)
        added: Tensor = self.down(FUNCTIONS[self.part.activation](self.up(self.between(stream))))
        return stream + added


class TransformerNetwork(nn.Module):
    """Positions and perhaps a class token beside what is read, blocks, a norm, and a linear head."""

    def __init__(self, part: Transformer, read: Sequence) -> None:
        super().__init__()
        asked = part.has_token(read)
        self.into = nn.Linear(read.features, part.width)
        self.positions = nn.Parameter(SMALL * torch.randn(read.length, part.width))
        self.token = nn.Parameter(SMALL * torch.randn(part.width)) if asked else None
        self.blocks = nn.Sequential(*(TransformerBlock(part) for _ in range(part.depth)))
        self.norm, self.head = nn.LayerNorm(part.width), nn.Linear(part.width, read.outputs)
        self.part, self.read = part, read

    def forward(self, x: Tensor) -> Tensor:
        """(batch, *inputs) to (batch, outputs), or (batch, length, outputs)."""
        stream = self.into(positions(x, self.part.vocabulary, self.part.patch)) + self.positions
        if self.token is not None:
            stream = torch.cat([stream, self.token.expand(len(stream), 1, -1)], 1)
        outputs: Tensor = self.head(self.part.summary(self.norm(self.blocks(stream)), self.read))
        return outputs


class Transformer(Architecture):
    """Blocks of attention and perceptron, with norms before them and learned positions; linear layers start as torch's.

    Inputs are sequences (length, features), token numbers (length,), or images, cut into squares. Where a task asks
    for outputs (length, outputs), there is an answer at each position: with `causal`, a language model; else one for
    the whole. Free are the width of the stream, heads, the entries of keys and of values within each head, and hidden
    neurons. An entry of a query has a scale that its key takes back, an entry of a value one that the layer after it
    does, the last norm one that the head does, and a hidden neuron of `relu` one.

    Options:
        heads: of each attention.
        head_width: entries of a key or value; the stream is as wide as all heads together.
        depth: blocks.
        feed_forward: hidden neurons of each block's perceptron.
        activation: of the perceptrons.
        causal: whether a position sees itself and those before it only.
        pooling: what one answer for the whole is read from: the mean over positions, or a class token after them.
        vocabulary: if above 0, inputs (length,) are token numbers below it; they are rounded, and what lies beyond
            either end counts as the last token there.
        patch: height and width of the squares that images are cut into.
    """

    name = "transformer"
    paper = "Vaswani et al. 2017, arXiv:1706.03762; Dosovitskiy et al. 2021, arXiv:2010.11929"

    def __init__(
        self,
        *,
        heads: Annotated[int, Least(1)] = 2,
        head_width: Annotated[int, Least(1)] = 8,
        depth: Annotated[int, Least(1)] = 2,
        feed_forward: Annotated[int, Least(1)] = 32,
        activation: Literal["relu", "gelu"] = "gelu",
        causal: bool = False,
        pooling: Literal["mean", "class"] = "mean",
        vocabulary: Annotated[int, Least(0)] = 0,
        patch: Annotated[int, Least(1)] = 4,
    ) -> None:
        self.heads, self.head_width, self.width = heads, head_width, heads * head_width
        self.depth, self.feed_forward, self.activation = depth, feed_forward, activation
        self.causal, self.pooling = causal, pooling
        self.vocabulary, self.patch = vocabulary, patch

    def read(self, shape: TaskShape) -> Sequence:
        """The sequence that inputs are."""
        return sequence(self.name, shape, self.vocabulary, self.patch)

    def has_token(self, read: Sequence) -> bool:
        """Whether there is a class token."""
        return self.pooling == "class" and not read.everywhere

    def attention(self, packed: Tensor) -> Tensor:
        """Queries, keys and values (batch, positions, 3 * width) to what heads gather (batch, positions, width)."""
        q, k, v = rearrange(packed, "b t (three h d) -> three b h t d", three=3, h=self.heads).unbind(0)
        gathered = functional.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        return rearrange(gathered, "b h t d -> b t (h d)")

    def summary(self, stream: Tensor, read: Sequence) -> Tensor:
        """What the head reads of a stream (..., positions, width): (..., width), or all of it."""
        if read.everywhere:
            return stream
        return stream[..., -1, :] if self.has_token(read) else stream.mean(-2)

    def network(self, shape: TaskShape) -> nn.Module:
        """The module itself."""
        return TransformerNetwork(self, self.read(shape))

    def space(self, shape: TaskShape) -> WeightSpace:
        """Every block has heads of its own, with keys and values within them, and hidden neurons."""
        read = self.read(shape)
        lines = [f"free model:scale={self.width}", f"fixed in={read.features} length={read.length} out={read.outputs}"]
        lines += ["into.weight model in as input.weight", "into.bias model as input.bias", "positions length model"]
        lines += ["token model"] if self.has_token(read) else []
        for i in range(self.depth):
            lines += self._block(i)
        lines += ["norm.weight model^1", "norm.bias model^1"]
        lines += ["head.weight out model^-1 as output.weight", "head.bias out as output.bias"]
        return laws.stated("\n".join(lines))

    def _block(self, i: int) -> list[str]:
        gauge = GAUGES.get(self.activation, "")
        up, down = (f"hidden{i}^1", f"hidden{i}^-1") if gauge else (f"hidden{i}", f"hidden{i}")
        packed = f"(heads{i} key{i}^1 + heads{i} key{i}^-1 + heads{i} value{i}^1)"
        rows = {
            "before": ("model", ""), "between": ("model", ""), "qkv": (packed, " model"),
            "out": ("model", f" (heads{i} value{i}^-1)"), "up": (up, " model"), "down": ("model", f" {down}"),
        }  # fmt: skip
        lines = [f"free heads{i}={self.heads} key{i}[heads{i}]:scale={self.head_width}"]
        lines += [f"free value{i}[heads{i}]:scale={self.head_width} hidden{i}{gauge}={self.feed_forward}"]
        for name, (row, column) in rows.items():
            lines.append(f"blocks.{i}.{name}.weight {row}{column} as block.{name}.weight")
            lines.append(f"blocks.{i}.{name}.bias {row} as block.{name}.bias")
        return lines

    def initialize(self, shape: TaskShape, count: int, generator: torch.Generator) -> Tensor:
        """All networks at once: linear layers by torch's default, norms the identity, positions small."""
        found: dict[str, laws.Law] = {"positions": laws.Normal(SMALL), "token": laws.Normal(SMALL)}
        found |= laws.linear("into", self.read(shape).features) | laws.linear("head", self.width) | _norm("norm")
        for i in range(self.depth):
            place = f"blocks.{i}"
            for name in ("qkv", "out", "up"):
                found |= laws.linear(f"{place}.{name}", self.width)
            found |= laws.linear(f"{place}.down", self.feed_forward)
            found |= _norm(f"{place}.before") | _norm(f"{place}.between")
        return laws.draw(self.space(shape), found, count, generator)

    def apply(self, shape: TaskShape, parameters: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
        """One batched product a layer; attention over points and networks alike: inputs (networks, points, *inputs)."""
        layers, (networks, points) = Layers(parameters), inputs.shape[:2]
        read = self.read(shape)
        stream = self._stream(layers, read, inputs)
        for i in range(self.depth):
            stream = self._through(layers, f"blocks.{i}", stream, points)
        stream = layers.norm("norm", stream)
        summary = self.summary(rearrange(stream, "n (p t) w -> n p t w", p=points), read)
        return layers.linear("head", summary.flatten(1, -2)).reshape(networks, points, *shape.outputs)

    def _stream(self, layers: Layers, read: Sequence, inputs: Tensor) -> Tensor:
        """What the first block reads, (networks, points * positions, width)."""
        networks, points = inputs.shape[:2]
        x = positions(inputs.flatten(0, 1), self.vocabulary, self.patch)
        stream = layers.linear("into", rearrange(x, "(n p) t f -> n (p t) f", n=networks))
        stream = rearrange(stream, "n (p t) w -> n p t w", p=points) + layers.parameters["positions"].unsqueeze(1)
        if self.has_token(read):
            token = rearrange(layers.parameters["token"], "n w -> n 1 1 w").expand(-1, points, -1, -1)
            stream = torch.cat([stream, token], 2)
        return stream.flatten(1, 2)

    def _through(self, layers: Layers, place: str, stream: Tensor, points: int) -> Tensor:
        """One block."""
        packed = layers.linear(f"{place}.qkv", layers.norm(f"{place}.before", stream))
        attended = self.attention(rearrange(packed, "n (p t) c -> (n p) t c", p=points))
        attended = rearrange(attended, "(n p) t c -> n (p t) c", p=points)
        stream = stream + layers.linear(f"{place}.out", attended)
        hidden = layers.linear(f"{place}.up", layers.norm(f"{place}.between", stream))
        return stream + layers.linear(f"{place}.down", FUNCTIONS[self.activation](hidden))


@dataclass(frozen=True)
class Layers:
    """Layers of many networks side by side, by name: parameters (networks, *)."""

    parameters: Mapping[str, Tensor]

    def linear(self, name: str, h: Tensor) -> Tensor:
        """A linear layer of each network: (networks, positions, read) to (networks, positions, written)."""
        weight, bias = self.parameters[f"{name}.weight"], self.parameters[f"{name}.bias"]
        return torch.baddbmm(bias.unsqueeze(1), h, weight.mT)

    def norm(self, name: str, h: Tensor) -> Tensor:
        """A layer norm of each network: (networks, positions, width)."""
        weight, bias = self.parameters[f"{name}.weight"], self.parameters[f"{name}.bias"]
        return torch.addcmul(bias.unsqueeze(1), functional.layer_norm(h, h.shape[-1:]), weight.unsqueeze(1))


def _norm(name: str) -> dict[str, laws.Law]:
    return {f"{name}.weight": laws.Constant(1.0), f"{name}.bias": laws.Constant(0.0)}
