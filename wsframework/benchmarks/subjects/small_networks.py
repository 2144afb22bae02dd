"""Fifteen small networks, no two alike in how their neurons are tied, each with its group in closed form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from wsframework.benchmarks.subjects.small_modules import (
    Attention,
    Concat,
    GroupedQuery,
    GruFromGates,
    Inr,
    Lstm,
    ResidualMlp,
    ResNetBlock,
    Shared,
    TiedLm,
)


@dataclass(frozen=True, eq=False)
class SmallNetwork:
    """A network, and what is known of its symmetries by hand.

    Attributes:
        inputs: an example.
        group: sizes of the sets that can be permuted, one by one, without a change of the function: the full
            group has the product of their factorials as its number of permutations.
    """

    module: nn.Module
    inputs: Tensor
    group: tuple[int, ...]


def _mlp() -> SmallNetwork:
    layers = (nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 2))
    return SmallNetwork(nn.Sequential(*layers), _numbers(4, 3), (8, 6))


def _inr() -> SmallNetwork:
    return SmallNetwork(Inr(8), _numbers(5, 2), (8, 8))


def _conv_bn() -> SmallNetwork:
    features = (nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 5, 3), nn.ReLU())
    head = (nn.Flatten(), nn.Linear(5 * 2 * 2, 7), nn.ReLU(), nn.Linear(7, 2))
    return SmallNetwork(nn.Sequential(*features, *head), _numbers(2, 1, 10, 10), (4, 5, 7))


def _depthwise() -> SmallNetwork:
    depth = (nn.Conv2d(3, 6, 1), nn.ReLU(), nn.Conv2d(6, 6, 3, groups=6), nn.BatchNorm2d(6), nn.ReLU())
    point = (nn.Conv2d(6, 8, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 2))
    return SmallNetwork(nn.Sequential(*depth, *point), _numbers(2, 3, 8, 8), (6, 8))


def _grouped() -> SmallNetwork:
    groups, read, written = 4, 2, 3  # of each group: the channels that it reads, and those that it writes
    first = (nn.Conv2d(3, groups * read, 3), nn.ReLU(), nn.Conv2d(groups * read, groups * written, 3, groups=groups))
    last = (nn.ReLU(), nn.Conv2d(groups * written, 5, 1), nn.ReLU(), nn.Flatten(), nn.Linear(5 * 4 * 4, 2))
    group = (groups, *[read] * groups, *[written] * groups, 5)
    return SmallNetwork(nn.Sequential(*first, *last), _numbers(2, 3, 8, 8), group)


def _residual_mlp() -> SmallNetwork:
    return SmallNetwork(ResidualMlp(8, 12), _numbers(4, 3), (8, 12))


def _resnet() -> SmallNetwork:
    stem = (nn.Conv2d(3, 4, 3, 1, 1), nn.BatchNorm2d(4), nn.ReLU())
    blocks = (ResNetBlock(4, 4, 1), ResNetBlock(4, 8, 2))
    head = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 2))
    group = (4, 4, 8, 8)  # two streams, and what is inside of each block
    return SmallNetwork(nn.Sequential(*stem, *blocks, *head), _numbers(2, 3, 8, 8), group)


def _shared() -> SmallNetwork:
    return SmallNetwork(Shared(6), _numbers(4, 3), (6,))


def _concat() -> SmallNetwork:
    return SmallNetwork(Concat(6, 5), _numbers(4, 3), (6, 5))


def _attention() -> SmallNetwork:
    width, heads = 12, 3
    return SmallNetwork(Attention(width, heads), _numbers(2, 5, 3), (width, width, *_heads(width, heads)))


def _heads(width: int, heads: int) -> tuple[int, ...]:
    """Heads, and in each of them what queries meet keys in, and what values consist of."""
    return (heads, *[width // heads] * (2 * heads))


def _encoder() -> SmallNetwork:
    width, heads, hidden = 12, 3, 16
    layer = nn.TransformerEncoderLayer(width, heads, hidden, batch_first=True)
    module = nn.Sequential(nn.Linear(3, width), layer, nn.Linear(width, 2))
    return SmallNetwork(module, _numbers(2, 5, 3), (width, *_heads(width, heads), hidden))


def _grouped_query() -> SmallNetwork:
    width, queries, keys, head, hidden = 12, 4, 2, 6, 16
    module = GroupedQuery(width, queries, keys, head, hidden)
    # rotations leave nothing of queries and keys to permute; those that share a key move among themselves
    group = (width, keys, *[queries // keys] * keys, *[head] * keys, hidden)
    return SmallNetwork(module, _numbers(2, 5, 3), group)


def _tied_lm() -> SmallNetwork:
    inputs = torch.randint(11, (2, 6), generator=torch.Generator().manual_seed(0))
    return SmallNetwork(TiedLm(11, 8, 16, 6), inputs, (8, 16))


def _gru() -> SmallNetwork:
    return SmallNetwork(GruFromGates(6), _numbers(2, 4, 3), (6,))


def _lstm() -> SmallNetwork:
    return SmallNetwork(Lstm(6), _numbers(2, 4, 3), (6, 6))


def _numbers(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


NETWORKS: dict[str, Callable[[], SmallNetwork]] = {
    "MLP": _mlp,
    "functional INR": _inr,
    "conv, batch norm, flatten": _conv_bn,
    "depthwise-separable conv": _depthwise,
    "grouped conv": _grouped,
    "residual MLP, layer norm": _residual_mlp,
    "ResNet, batch norm": _resnet,
    "one layer three times": _shared,
    "concat skip": _concat,
    "packed attention": _attention,
    "TransformerEncoderLayer": _encoder,
    "grouped queries, RoPE, RMS": _grouped_query,
    "tied LM": _tied_lm,
    "GRU from gates": _gru,
    "2-layer LSTM": _lstm,
}
"""Each builds its network anew."""
