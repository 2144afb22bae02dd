"""Residual convolutional networks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor, nn

from wsf_networks import batch_norm, laws
from wsf_networks.batch_norm import BatchNorm, Norm
from wsf_networks.batched import convolve, head, side_by_side
from wsf_networks.images import image
from wsf_networks.normalised import NormalisedNetworks
from wsframework.parts.values import Least
from wsframework.spaces import WeightSpace
from wsframework.tasks import TaskShape


@dataclass(frozen=True)
class Block:
    """One residual block of a network.

    Attributes:
        place: its name in the state dict.
        read, written: channels that come in and go out.
        stream, inner: the dims of its outputs and of what is between its convolutions.
        before: the dim of its inputs.
    """

    place: str
    read: int
    written: int
    stride: int
    before: str
    inner: str
    stream: str

    @property
    def projects(self) -> bool:
        """Whether its shortcut is a convolution of its own."""
        return self.stride > 1 or self.read != self.written

    def convolutions(self) -> Iterator[tuple[str, int, int, str, str, int]]:
        """Name, channels read and written, their dims, and the kernel."""
        yield "conv1", self.read, self.written, self.before, self.inner, 3
        yield "conv2", self.written, self.written, self.inner, self.stream, 3
        if self.projects:
            yield "shortcut", self.read, self.written, self.before, self.stream, 1


class ResidualBlock(nn.Module):
    """``relu(norm2(conv2(relu(norm1(conv1(x))))) + shortcut(x))``."""

    def __init__(self, block: Block) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(block.read, block.written, 3, block.stride, 1, bias=False)
        self.norm1 = BatchNorm(block.written)
        self.conv2 = nn.Conv2d(block.written, block.written, 3, 1, 1, bias=False)
        self.norm2 = BatchNorm(block.written)
        self.shortcut: nn.Module = nn.Identity()
        self.shortcut_norm: nn.Module = nn.Identity()
        if block.projects:
            self.shortcut = nn.Conv2d(block.read, block.written, 1, block.stride, bias=False)
            self.shortcut_norm = BatchNorm(block.written)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, read, height, width) to (batch, written, height / stride, width / stride), rounded up."""
        h = torch.relu(self.norm1(self.conv1(x)))
        return torch.relu(self.norm2(self.conv2(h)) + self.shortcut_norm(self.shortcut(x)))


class ResidualNetwork(nn.Module):
    """A convolution, residual blocks, the average over the image, a linear head."""

    def __init__(self, channels: int, blocks: tuple[Block, ...], outputs: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(channels, blocks[0].read, 3, 1, 1, bias=False)
        self.stem_norm = BatchNorm(blocks[0].read)
        self.blocks = nn.ModuleList(map(ResidualBlock, blocks))
        self.head = nn.Linear(blocks[-1].written, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Images (batch, channels, height, width) to (batch, outputs)."""
        h = torch.relu(self.stem_norm(self.stem(x)))
        for block in self.blocks:
            h = block(h)
        outputs: Tensor = self.head(h.mean((2, 3)))
        return outputs


class ResNet(NormalisedNetworks):
    """Residual blocks of two convolutions of 3 by 3 with batch normalisation, for images; torch's initialisation.

    Every stage after the first begins with a block of stride 2. The channels of a stage's stream, and those within
    each block, are free; as ReLU lets a positive scale through, each has one.

    Options:
        channels: of each stage.
        blocks: of each stage.
    """

    name = "resnet"
    paper = "He et al. 2016, arXiv:1512.03385"

    def __init__(
        self, *, channels: tuple[Annotated[int, Least(1)], ...] = (8, 16), blocks: Annotated[int, Least(1)] = 1
    ) -> None:
        self.channels = tuple(channels) or (8,)
        self.blocks = blocks

    def plan(self) -> tuple[Block, ...]:
        """The blocks, first to last."""
        found: list[Block] = []
        before, read = "stem", self.channels[0]
        for stage, written in enumerate(self.channels):
            for _ in range(self.blocks):
                i, stride = len(found), 2 if stage and not len(found) % self.blocks else 1
                stream = f"stream{stage}" if stage else "stem"
                found.append(Block(f"blocks.{i}", read, written, stride, before, f"inner{i}", stream))
                before, read = stream, written
        return tuple(found)

    def network(self, shape: TaskShape) -> nn.Module:
        """The module itself."""
        return ResidualNetwork(image(self.name, shape)[0], self.plan(), shape.outputs[0])

    def space(self, shape: TaskShape) -> WeightSpace:
        """Channels of streams and within blocks are free; batch norms carry their scales."""
        channels, plan = image(self.name, shape)[0], self.plan()
        free = {"stem": plan[0].read} | {b.stream: b.written for b in plan} | {b.inner: b.written for b in plan}
        lines = [f"free {dim}:scale={size}" for dim, size in free.items()]
        lines += [f"fixed in={channels} tap=3 point=1 out={shape.outputs[0]}", "stem.weight stem in tap tap"]
        lines += batch_norm.lines("stem_norm", "stem", "stem_norm", "^1")
        for block in plan:
            for name, _, _, a, b, kernel in block.convolutions():
                taps, norm = "tap tap" if kernel == 3 else "point point", _norm(name)
                lines.append(f"{block.place}.{name}.weight {b} {a}^-1 {taps} as block.{name}.weight")
                lines += batch_norm.lines(f"{block.place}.{norm}", b, f"block.{norm}", "^1")
        lines += [f"head.weight out {plan[-1].stream}^-1 as output.weight", "head.bias out as output.bias"]
        return laws.stated("\n".join(lines))

    def initialize(self, shape: TaskShape, count: int, generator: torch.Generator) -> Tensor:
        """All networks at once, by torch's default."""
        plan = self.plan()
        found = laws.linear("head", plan[-1].written)
        found |= laws.linear("stem", 9 * shape.inputs[0], bias=False) | laws.batch_norm("stem_norm")
        for block in plan:
            for name, read, _, _, _, kernel in block.convolutions():
                found |= laws.linear(f"{block.place}.{name}", read * kernel**2, bias=False)
                found |= laws.batch_norm(f"{block.place}.{_norm(name)}")
        return laws.draw(self.space(shape), found, count, generator)

    def _run(self, parameters: Mapping[str, Tensor], inputs: Tensor, norm: Norm) -> Tensor:
        """Grouped convolutions of all networks."""

        def convolved(name: str, h: Tensor, stride: int = 1, padding: int = 1) -> Tensor:
            return norm(_norm(name), convolve(h, parameters[f"{name}.weight"], None, stride, padding))

        h = torch.relu_(convolved("stem", side_by_side(inputs)))
        for block in self.plan():
            inner = torch.relu_(convolved(f"{block.place}.conv1", h, block.stride))
            added = convolved(f"{block.place}.shortcut", h, block.stride, 0) if block.projects else h
            h = torch.relu_(convolved(f"{block.place}.conv2", inner).add_(added))
        return head(h.mean((2, 3)), parameters["head.weight"], parameters["head.bias"])


def _norm(convolution: str) -> str:
    """The norm that follows a convolution."""
    return convolution.replace("conv", "norm") if "conv" in convolution else f"{convolution}_norm"
