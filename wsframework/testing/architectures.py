"""A hypothesis strategy: small modules put together at random, with the freedom that their grammar says they have.

@given(modules())
def test(known):
    space = trace(known.module, known.args)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from hypothesis import strategies as st
from torch import Tensor, nn

Chain = tuple[int, ...]
"""A free dim: its size, and the sizes of the dims that it is within, the nearest first."""


@dataclass(frozen=True, eq=False)
class KnownModule:
    """A module whose group is known.

    Attributes:
        module: in evaluation mode, with random parameters and running statistics.
        args: example inputs.
        dims: all free dims, sorted: of each its size, and the sizes of those that it is within, the nearest first.
        grammar: what the module was put together from.
    """

    module: nn.Module
    args: tuple[Tensor, ...]
    dims: tuple[Chain, ...]
    grammar: tuple[str, ...]

    def __repr__(self) -> str:
        return f"KnownModule({' > '.join(self.grammar)}, dims={self.dims})"


class Residual(nn.Module):
    """``x + f(x)``."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        """Of the shape of ``x``."""
        out: Tensor = x + self.inner(x)
        return out


class Concatenated(nn.Module):
    """``(x, f(x))``, side by side along the last axis."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        """Of the shape of ``x``, but for the last axis."""
        return torch.cat([x, self.inner(x)], -1)


class Repeated(nn.Module):
    """One layer, so many times."""

    def __init__(self, inner: nn.Module, times: int) -> None:
        super().__init__()
        self.inner = inner
        self.times = times

    def forward(self, x: Tensor) -> Tensor:
        """Of the shape of ``x``."""
        for _ in range(self.times):
            x = self.inner(x)
        return x


class SelfAttention(nn.Module):
    """Attention of a sequence to itself, several heads."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        """Of the shape of ``x`` (batch, time, width)."""
        out: Tensor = self.attention(x, x, x, need_weights=False)[0]
        return out


class Outputs(nn.Module):
    """What a recurrent layer returns, without its last state."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        """(batch, time, width)."""
        out: Tensor = self.inner(x)[0]
        return out


@dataclass(eq=False)
class _Growing:
    """A module while it grows.

    Attributes:
        width: of its last axis.
        dims: that are free so far; the residual stream is among them.
    """

    width: int
    layers: list[nn.Module] = field(default_factory=list)
    dims: list[Chain] = field(default_factory=list)
    grammar: list[str] = field(default_factory=list)

    def grow(self, word: str, *layers: nn.Module, dims: Sequence[Chain] = (), width: int | None = None) -> None:
        """One more block, of which ``dims`` are free."""
        self.layers += layers
        self.dims += dims
        self.grammar.append(word)
        self.width = self.width if width is None else width


_SIZES = st.integers(2, 5)
_ACTIVATIONS = st.sampled_from([nn.ReLU, nn.Tanh, nn.GELU, nn.Sigmoid])
_Block = Callable[[st.DrawFn, _Growing], None]


def _linear(draw: st.DrawFn, module: _Growing) -> None:
    size = draw(_SIZES)
    module.grow("linear", nn.Linear(module.width, size), draw(_ACTIVATIONS)(), dims=[(size,)], width=size)


def _norm(_: st.DrawFn, module: _Growing) -> None:
    module.grow("norm", nn.LayerNorm(module.width))


def _residual(draw: st.DrawFn, module: _Growing) -> None:
    size = draw(_SIZES)
    inner = nn.Sequential(nn.Linear(module.width, size), draw(_ACTIVATIONS)(), nn.Linear(size, module.width))
    module.grow("residual", Residual(inner), dims=[(size,)])


def _concatenation(draw: st.DrawFn, module: _Growing) -> None:
    size = draw(_SIZES)
    inner = nn.Sequential(nn.Linear(module.width, size), nn.SiLU())
    module.grow("concatenation", Concatenated(inner), dims=[(size,)], width=module.width + size)


def _tied(draw: st.DrawFn, module: _Growing) -> None:
    size = draw(_SIZES)
    inner = Repeated(nn.Sequential(nn.Linear(size, size), nn.Tanh()), draw(st.integers(2, 3)))
    module.grow("tied", nn.Linear(module.width, size), inner, dims=[(size,)], width=size)


def _batch_norm(draw: st.DrawFn, module: _Growing) -> None:
    size = draw(_SIZES)
    layers = nn.Linear(module.width, size), nn.BatchNorm1d(size), nn.ReLU()
    module.grow("batch norm", *layers, dims=[(size,)], width=size)


def _attention(draw: st.DrawFn, module: _Growing) -> None:
    heads, size = draw(st.integers(2, 3)), draw(st.integers(2, 3))
    width = heads * size
    layers = nn.Linear(module.width, width), Residual(SelfAttention(width, heads))
    module.grow("attention", *layers, dims=[(width,), (heads,), (size, heads), (size, heads)], width=width)


def _recurrent(draw: st.DrawFn, module: _Growing) -> None:
    size, kind = draw(_SIZES), draw(st.sampled_from([nn.GRU, nn.LSTM]))
    module.grow("recurrent", Outputs(kind(module.width, size, batch_first=True)), dims=[(size,)], width=size)


def _images(draw: st.DrawFn) -> _Growing:
    """Convolutions and a flatten."""
    module = _Growing(2)
    for _ in range(draw(st.integers(1, 2))):
        size = draw(_SIZES)
        pool = draw(st.sampled_from([nn.MaxPool2d(2, 1), nn.AvgPool2d(2, 1), nn.Identity()]))
        layers = nn.Conv2d(module.width, size, 2), draw(_ACTIVATIONS)(), pool
        module.grow("convolution", *layers, dims=[(size,)], width=size)
    module.grow("flatten", nn.AdaptiveAvgPool2d(2), nn.Flatten(), width=4 * module.width)
    return module


_SHAPES = {"vectors": (3, 3), "sequences": (2, 3, 3), "images": (2, 2, 7, 7)}
_FLAT: tuple[_Block, ...] = (_linear, _norm, _residual, _concatenation, _tied)
_BATCH: tuple[_Block, ...] = (*_FLAT, _batch_norm)
_SEQUENCE: tuple[_Block, ...] = (*_FLAT, _attention, _recurrent)


@st.composite
def modules(draw: st.DrawFn, max_blocks: int = 3) -> KnownModule:
    """Modules of linear layers, activations, norms, residual blocks, concatenations, attention, recurrent layers,
    convolutions and layers that are used again; with example inputs, and the dims that are free.

    Arguments:
        max_blocks: after the first layer.
    """
    kind = draw(st.sampled_from(["vectors", "sequences", "images"]))
    torch_seed = draw(st.integers(0, 2**32 - 1))
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(torch_seed)
        module = _images(draw) if kind == "images" else _Growing(3)
        if kind != "images":
            _linear(draw, module)
        blocks = _SEQUENCE if kind == "sequences" else _BATCH
        for block in draw(st.lists(st.sampled_from(blocks), max_size=max_blocks)):
            block(draw, module)
        module.layers.append(nn.Linear(module.width, 2))
        net = nn.Sequential(*module.layers).eval()
        _randomise(net)
        return KnownModule(net, (torch.randn(_SHAPES[kind]),), tuple(sorted(module.dims)), tuple(module.grammar))


def _randomise(module: nn.Module) -> None:
    """Norms begin as the identity, which hides what moves."""
    with torch.no_grad():
        for value in module.parameters():
            value.add_(0.3 * torch.randn_like(value))
        for layer in module.modules():
            if isinstance(layer, nn.BatchNorm1d) and layer.running_mean is not None and layer.running_var is not None:
                layer.running_mean.normal_()
                layer.running_var.uniform_(0.5, 2)
