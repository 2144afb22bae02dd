"""Small networks of the kinds that are in use, each with the dims that are free, known in closed form.

A dim is written as its size, and after it the sizes of those that it is within, the nearest first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Free = int | tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Network:
    """A module with example inputs.

    Attributes:
        dims: that are free.
        gauges: one for each of ``dims``, where they are stated.
    """

    module: nn.Module
    args: tuple[Any, ...]
    dims: Sequence[Free]
    gauges: Sequence[str | None] | None = None
    carry: Sequence[str] = field(default=())


NETWORKS: dict[str, Callable[[], Network]] = {}


def network(make: Callable[[], Network]) -> Callable[[], Network]:
    """Enter a network."""
    NETWORKS[make.__name__] = make
    return make


class Formula(nn.Module):
    """A function of inputs and of some layers, parameters (tensors) and constants."""

    def __init__(self, function: Callable[..., Tensor], **parts: nn.Module | nn.Parameter | Tensor) -> None:
        super().__init__()
        self.function = function
        for name, part in parts.items():
            if isinstance(part, Tensor) and not isinstance(part, nn.Parameter):
                self.register_buffer(name, part)
            else:
                setattr(self, name, part)

    def forward(self, *args: Tensor) -> Tensor:
        return self.function(self, *args)


def parameter(*shape: int) -> nn.Parameter:
    return nn.Parameter(torch.randn(shape) / math.sqrt(shape[-1]))


@network
def perceptron() -> Network:
    module = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 6), nn.LeakyReLU(), nn.Linear(6, 2))
    return Network(module, (torch.randn(4, 3),), [8, 6], ["scale", "scale"])


@network
def implicit_representation() -> Network:
    def function(m: Any, x: Tensor) -> Tensor:
        return torch.sin(torch.sin(x @ m.w1.T + m.b1) @ m.w2.T + m.b2) @ m.w3.T

    parts = {"w1": parameter(8, 2), "b1": parameter(8), "w2": parameter(7, 8), "b2": parameter(7)}
    return Network(Formula(function, **parts, w3=parameter(1, 7)), (torch.randn(5, 2),), [8, 7], ["sign", "sign"])


@network
def convolutional() -> Network:
    module = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Conv2d(4, 5, 2),
        nn.ReLU(), nn.Flatten(), nn.Linear(5 * 4, 7), nn.GELU(), nn.Linear(7, 2),
    )  # fmt: skip
    return Network(module, (torch.randn(2, 1, 8, 8),), [4, 5, 7], ["scale", "scale", None])


@network
def depthwise_separable() -> Network:
    module = nn.Sequential(
        nn.Conv2d(3, 6, 1), nn.ReLU(), nn.Conv2d(6, 6, 3, groups=6), nn.BatchNorm2d(6), nn.ReLU(), nn.Conv2d(6, 8, 1),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 2),
    )  # fmt: skip
    return Network(module, (torch.randn(2, 3, 5, 5),), [6, 8])


@network
def grouped_convolution() -> Network:
    module = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 12, 2, groups=4), nn.ReLU(), nn.Conv2d(12, 5, 1), nn.ReLU(),
        nn.Flatten(), nn.Linear(5 * 4, 2),
    )  # fmt: skip
    return Network(module, (torch.randn(2, 3, 5, 5),), [4, (2, 4), (3, 4), 5])


@network
def two_grouped_convolutions() -> Network:
    module = nn.Sequential(
        nn.Conv1d(3, 6, 1), nn.ReLU(), nn.Conv1d(6, 9, 2, groups=3), nn.ReLU(), nn.Conv1d(9, 6, 2, groups=3),
        nn.ReLU(), nn.Conv1d(6, 2, 1),
    )  # fmt: skip
    return Network(module, (torch.randn(2, 3, 5),), [3, (2, 3), (3, 3), (2, 3)])


@network
def grouped_convolution_of_the_input() -> Network:
    """Its groups are fixed; the outputs move within each."""
    module = nn.Sequential(nn.Conv1d(4, 6, 2, groups=2), nn.ReLU(), nn.Conv1d(6, 2, 1))
    return Network(module, (torch.randn(2, 4, 5),), [(3, 2)])


@network
def residual_perceptron() -> Network:
    def function(m: Any, x: Tensor) -> Tensor:
        x = m.into(x)
        return m.out(m.norm2(x + m.down(F.gelu(m.up(m.norm1(x))))))

    parts = {"into": nn.Linear(3, 8), "norm1": nn.LayerNorm(8), "up": nn.Linear(8, 12), "down": nn.Linear(12, 8)}
    module = Formula(function, **parts, norm2=nn.LayerNorm(8), out=nn.Linear(8, 2))
    return Network(module, (torch.randn(4, 3),), [8, 12])


class Block(nn.Module):
    """Two convolutions and a shortcut."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first, self.norm = nn.Conv2d(inputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs)
        self.second, self.norm2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs)
        self.short = nn.Conv2d(inputs, outputs, 1, bias=False) if inputs != outputs else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.norm2(self.second(F.relu(self.norm(self.first(x))))) + self.short(x))


@network
def residual_network() -> Network:
    module = nn.Sequential(
        nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.ReLU(), Block(4, 4), Block(4, 5), nn.AdaptiveAvgPool2d(1),
        nn.Flatten(), nn.Linear(5, 2),
    )  # fmt: skip
    return Network(module, (torch.randn(2, 3, 4, 4),), [4, 4, 5, 5])


@network
def shared_layer() -> Network:
    def function(m: Any, x: Tensor) -> Tensor:
        x = torch.tanh(m.into(x))
        for _ in range(3):
            x = torch.tanh(m.again(x))
        return m.out(x)

    module = Formula(function, into=nn.Linear(3, 6), again=nn.Linear(6, 6), out=nn.Linear(6, 2))
    return Network(module, (torch.randn(4, 3),), [6], ["sign"])


@network
def skip_by_concatenation() -> Network:
    def function(m: Any, x: Tensor) -> Tensor:
        a = F.relu(m.a(x))
        return m.out(torch.cat([a, F.relu(m.b(a)), x], -1))

    return Network(
        Formula(function, a=nn.Linear(3, 6), b=nn.Linear(6, 5), out=nn.Linear(14, 2)), (torch.randn(4, 3),), [6, 5]
    )


@network
def chain_of_concatenations() -> Network:
    def function(m: Any, x: Tensor) -> Tensor:
        x = m.into(x)
        for layer in (m.a, m.b):
            x = torch.cat([x, F.silu(layer(F.silu(x)))], 1)
        return m.out(x)

    module = Formula(
        function, into=nn.Conv1d(2, 4, 1), a=nn.Conv1d(4, 3, 1), b=nn.Conv1d(7, 5, 1), out=nn.Conv1d(12, 2, 1)
    )
    return Network(module, (torch.randn(2, 2, 3),), [4, 3, 5])


@network
def packed_attention() -> Network:
    def function(m: Any, x: Tensor) -> Tensor:
        x = m.into(x)
        return m.out(m.attention(x, x, x, need_weights=False)[0])

    attention = nn.MultiheadAttention(12, 3, batch_first=True)
    module = Formula(function, into=nn.Linear(3, 12), attention=attention, out=nn.Linear(12, 2))
    return Network(module, (torch.randn(2, 5, 3),), [12, 3, (4, 3), (4, 3), 12])


@network
def encoder_layer() -> Network:
    layer = nn.TransformerEncoderLayer(12, 3, 16, batch_first=True)
    module = nn.Sequential(nn.Linear(3, 12), layer, nn.Linear(12, 2))
    return Network(module, (torch.randn(2, 5, 3),), [12, 3, (4, 3), (4, 3), 16])


@network
def cross_attention() -> Network:
    def function(m: Any, x: Tensor, y: Tensor) -> Tensor:
        x, y = m.into(x), m.other(y)
        return m.out(x + m.attention(x, y, y, need_weights=False)[0])

    attention = nn.MultiheadAttention(6, 2, batch_first=True, kdim=5, vdim=5)
    module = Formula(function, into=nn.Linear(3, 6), other=nn.Linear(4, 5), attention=attention, out=nn.Linear(6, 2))
    return Network(module, (torch.randn(2, 3, 3), torch.randn(2, 4, 4)), [6, 5, 2, (3, 2), (3, 2)])


@network
def attention_by_einsum() -> Network:
    def function(m: Any, x: Tensor) -> Tensor:
        q, k, v = (torch.einsum("btd,hdk->bhtk", x, w) for w in (m.q, m.k, m.v))
        scores = torch.einsum("bhtk,bhsk->bhts", q, k).softmax(-1)
        return torch.einsum("bhts,bhsk,hkd->btd", scores, v, m.o)

    module = Formula(function, q=parameter(3, 4, 5), k=parameter(3, 4, 5), v=parameter(3, 4, 2), o=parameter(3, 2, 4))
    return Network(module, (torch.randn(2, 3, 4),), [3, (5, 3), (2, 3)])


def attended(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | float = 0) -> Tensor:
    """Attention (batch, time, heads * values), of queries, keys and values (batch, heads, time, entries)."""
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]) + bias
    return (scores.softmax(-1) @ v).transpose(1, 2).flatten(2)


@network
def attention_packed_by_heads() -> Network:
    """GPT-NeoX: one layer gives each head its query, key and value."""

    def function(m: Any, x: Tensor) -> Tensor:
        return m.out(attended(*m.qkv(x).unflatten(-1, (3, 11)).transpose(1, 2).split([4, 4, 3], -1)))

    module = Formula(function, qkv=nn.Linear(5, 33), out=nn.Linear(9, 2))
    return Network(module, (torch.randn(2, 4, 5),), [3, (4, 3), (3, 3)], [None, "scale", "scale"])


@network
def attention_packed_by_groups() -> Network:
    """Each group of heads has its queries, and a key and a value that they share."""

    def function(m: Any, x: Tensor) -> Tensor:
        q, k, v = m.qkv(x).unflatten(-1, (2, 14)).transpose(1, 2).split([9, 3, 2], -1)
        q = q.unflatten(-1, (3, 3)).transpose(2, 3).flatten(1, 2)
        return m.out(attended(q, k.repeat_interleave(3, 1), v.repeat_interleave(3, 1)))

    module = Formula(function, qkv=nn.Linear(5, 28), out=nn.Linear(12, 2))
    return Network(module, (torch.randn(2, 4, 5),), [2, (3, 2), (3, 2), (2, 2)])


@network
def attention_with_slopes() -> Network:
    """BLOOM: packed by heads, and each head forgets at a pace of its own, which fixes it."""

    def function(m: Any, x: Tensor) -> Tensor:
        q, k, v = m.qkv(x).unflatten(-1, (3, 3, 4)).transpose(1, 2).unbind(3)
        return m.out(attended(q, k, v, m.slopes * torch.arange(x.shape[1])))

    slopes = torch.tensor([0.5, 0.25, 0.125]).reshape(3, 1, 1)
    module = Formula(function, qkv=nn.Linear(5, 36), out=nn.Linear(12, 2), slopes=slopes)
    return Network(module, (torch.randn(2, 4, 5),), [(4, 3), (4, 3)])


def turned(x: Tensor) -> Tensor:
    """Rotary positions, of queries or keys (batch, heads, time, entries)."""
    size = x.shape[-1]
    angle = torch.outer(torch.arange(x.shape[2]).float(), 100 ** (-torch.arange(0, size, 2) / size)).repeat(1, 2)
    half = torch.cat([-x[..., size // 2 :], x[..., : size // 2]], -1)
    return x * angle.cos() + half * angle.sin()


@network
def partly_rotary_attention() -> Network:
    """Phi and GPT-J: positions turn the first four entries of queries and keys; the rest of them is free."""

    def function(m: Any, x: Tensor) -> Tensor:
        q, k, v = (layer(x).unflatten(-1, (3, -1)).transpose(1, 2) for layer in (m.q, m.k, m.v))
        q, k = (torch.cat([turned(t[..., :4]), t[..., 4:]], -1) for t in (q, k))
        return m.out(attended(q, k, v))

    module = Formula(function, q=nn.Linear(5, 21), k=nn.Linear(5, 21), v=nn.Linear(5, 6), out=nn.Linear(6, 2))
    return Network(module, (torch.randn(2, 4, 5),), [3, (3, 3), (2, 3)], [None, "scale", "scale"])


@network
def grouped_query_attention() -> Network:
    """Of the language models: rotary positions, root mean square norms, gated units."""
    heads, keys, size = 4, 2, 6

    def function(m: Any, x: Tensor) -> Tensor:
        x = m.into(x)
        y = m.norm1(x)
        q, k, v = (layer(y).unflatten(-1, (-1, size)).transpose(1, 2) for layer in (m.q, m.k, m.v))
        k, v = (t.repeat_interleave(heads // keys, 1) for t in (turned(k), v))
        x = x + m.o(attended(turned(q), k, v))
        y = m.norm2(x)
        return m.out(x + m.down(F.silu(m.gate(y)) * m.up(y)))

    linear = {
        "q": nn.Linear(12, heads * size), "k": nn.Linear(12, keys * size), "v": nn.Linear(12, keys * size),
        "o": nn.Linear(heads * size, 12), "gate": nn.Linear(12, 16), "up": nn.Linear(12, 16),
        "down": nn.Linear(16, 12), "into": nn.Linear(3, 12), "out": nn.Linear(12, 2),
    }  # fmt: skip
    module = Formula(function, **linear, norm1=nn.RMSNorm(12), norm2=nn.RMSNorm(12))
    return Network(module, (torch.randn(2, 5, 3),), [12, 2, (2, 2), (6, 2), 16])


@network
def shared_keys() -> Network:
    """Grouped queries without positions: the entries of keys move within their head."""

    def function(m: Any, x: Tensor) -> Tensor:
        q, k, v = (layer(x).unflatten(-1, (-1, 3)).transpose(1, 2) for layer in (m.q, m.k, m.v))
        return m.o(F.scaled_dot_product_attention(q, k, v, enable_gqa=True).transpose(1, 2).flatten(2))

    module = Formula(function, q=nn.Linear(5, 12), k=nn.Linear(5, 6), v=nn.Linear(5, 6), o=nn.Linear(12, 2))
    return Network(module, (torch.randn(2, 4, 5),), [2, (2, 2), (3, 2), (3, 2)])


@network
def tied_language_model() -> Network:
    def function(m: Any, x: Tensor) -> Tensor:
        y = m.tokens(x) + m.positions(torch.arange(x.shape[1]))
        return m.head(m.norm(y + m.down(F.gelu(m.up(y)))))

    parts = {"tokens": nn.Embedding(11, 8), "positions": nn.Embedding(6, 8), "up": nn.Linear(8, 16)}
    module = Formula(function, **parts, down=nn.Linear(16, 8), norm=nn.LayerNorm(8), head=nn.Linear(8, 11, bias=False))
    module.head.weight = module.tokens.weight
    return Network(module, (torch.randint(0, 11, (2, 6)),), [8, 16])


@network
def tied_autoencoder() -> Network:
    def function(m: Any, x: Tensor) -> Tensor:
        return F.linear(torch.tanh(m.encode(x)), m.encode.weight.T, m.bias)

    return Network(Formula(function, encode=nn.Linear(5, 4), bias=parameter(5)), (torch.randn(3, 5),), [4], ["sign"])


@network
def gru_from_gates() -> Network:
    def function(m: Any, x: Tensor) -> Tensor:
        h = x.new_zeros(x.shape[0], 6)
        for t in range(x.shape[1]):
            (r, z, n), (r2, z2, n2) = m.into(x[:, t]).chunk(3, -1), m.back(h).chunk(3, -1)
            z = torch.sigmoid(z + z2)
            h = (1 - z) * torch.tanh(n + torch.sigmoid(r + r2) * n2) + z * h
        return m.out(h)

    module = Formula(function, into=nn.Linear(3, 18), back=nn.Linear(6, 18), out=nn.Linear(6, 2))
    return Network(module, (torch.randn(2, 3, 3),), [6], ["sign"])


def recurrent(layer: nn.Module, width: int, dims: Sequence[int], gauges: Sequence[str | None] | None) -> Network:
    """A recurrent layer, whose outputs are read."""
    module = Formula(lambda m, x: m.out(m.layer(x)[0]), layer=layer, out=nn.Linear(width, 2))
    return Network(module, (torch.randn(4, 2, 3),), dims, gauges)


@network
def two_lstms() -> Network:
    return recurrent(nn.LSTM(3, 6, 2), 6, [6, 6], ["sign", "sign"])


@network
def projected_lstm() -> Network:
    return recurrent(nn.LSTM(3, 6, proj_size=4), 4, [6, 4], ["sign", "scale"])


@network
def elman() -> Network:
    return recurrent(nn.RNN(3, 5), 5, [5], ["sign"])


@network
def two_way_gru() -> Network:
    return recurrent(nn.GRU(3, 5, 2, bidirectional=True), 10, [5, 5, 5, 5], ["sign"] * 4)


@network
def experts() -> Network:
    """Every expert is asked, and a softmax decides whom to believe: experts move, and neurons within each."""

    def function(m: Any, x: Tensor) -> Tensor:
        inner = F.relu(torch.einsum("bd,ehd->beh", x, m.up) + m.bias)
        return torch.einsum("be,beh,eoh->bo", m.gate(x).softmax(-1), inner, m.down)

    module = Formula(
        function, up=parameter(3, 5, 4), bias=parameter(3, 5), down=parameter(3, 2, 5), gate=nn.Linear(4, 3)
    )
    return Network(module, (torch.randn(6, 4),), [3, (5, 3)])


@network
def weight_normalised() -> Network:
    first = nn.utils.parametrizations.weight_norm(nn.Linear(3, 6))
    return Network(nn.Sequential(first, nn.ReLU(), nn.Linear(6, 2)), (torch.randn(4, 3),), [6])


@network
def transposed_convolution() -> Network:
    module = nn.Sequential(
        nn.ConvTranspose1d(2, 4, 2), nn.ReLU(), nn.ConvTranspose1d(4, 3, 2), nn.ELU(), nn.Conv1d(3, 2, 1)
    )
    return Network(module, (torch.randn(2, 2, 4),), [4, 3], ["scale", None])


@network
def group_normalised() -> Network:
    module = nn.Sequential(nn.Conv1d(2, 6, 2), nn.GroupNorm(3, 6), nn.ReLU(), nn.Conv1d(6, 2, 2))
    return Network(module, (torch.randn(2, 2, 5),), [3, (2, 3)])


@network
def halves() -> Network:
    """A hidden layer of which one half gates the other."""

    def function(m: Any, x: Tensor) -> Tensor:
        y = m.up(x)
        return m.down(y[:, :5] * torch.sigmoid(y[:, 5:]))

    return Network(Formula(function, up=nn.Linear(3, 10), down=nn.Linear(5, 2)), (torch.randn(4, 3),), [5])


@network
def bilinear() -> Network:
    def function(m: Any, x: Tensor) -> Tensor:
        return m.out(m.both(torch.tanh(m.a(x)), torch.tanh(m.b(x))))

    module = Formula(function, a=nn.Linear(3, 4), b=nn.Linear(3, 5), both=nn.Bilinear(4, 5, 6), out=nn.Linear(6, 2))
    return Network(module, (torch.randn(4, 3),), [4, 5, 6])


def with_positions(dims: Sequence[int], carry: Sequence[str]) -> Network:
    """Sinusoidal positions are a constant, which differs by the entries of the residual stream."""
    angles = torch.outer(torch.arange(5.0), 10 ** -torch.linspace(0, 1, 3))

    def function(m: Any, x: Tensor) -> Tensor:
        y = m.into(x) + m.positions
        return m.out(y + m.down(torch.tanh(m.up(y))))

    parts = {"into": nn.Linear(3, 6), "up": nn.Linear(6, 7), "down": nn.Linear(7, 6), "out": nn.Linear(6, 2)}
    module = Formula(function, **parts, positions=torch.cat([angles.sin(), angles.cos()], -1))
    return Network(module, (torch.randn(2, 5, 3),), dims, carry=carry)


@network
def fixed_positions() -> Network:
    return with_positions([7], ())


@network
def carried_positions() -> Network:
    return with_positions([6, 7], ("positions",))


@network
def spectral_norm() -> Network:
    """A scale holds in evaluation mode alone: in training, the first singular vectors are sought anew."""
    layers = [nn.utils.parametrizations.spectral_norm(nn.Linear(*sizes)) for sizes in ((3, 8), (8, 6))]
    module = nn.Sequential(layers[0], nn.ReLU(), layers[1], nn.ReLU(), nn.Linear(6, 2))
    return Network(module, (torch.randn(4, 3),), [8, 6], [None, None])


@network
def heads_scored_by_vectors() -> Network:
    """As in graph attention: the scores of heads are a parameter whose first axis has one position."""

    def function(m: Any, x: Tensor) -> Tensor:
        v = m.value(x).view(*x.shape[:2], 3, 4)
        weights = (v * m.score).sum(-1, keepdim=True).softmax(1)
        return m.out((weights * v).sum(1).flatten(1))

    module = Formula(function, value=nn.Linear(5, 12), score=parameter(1, 3, 4), out=nn.Linear(12, 2))
    return Network(module, (torch.randn(2, 6, 5),), [3, (4, 3)])


@network
def grouped_convolutions_beside_a_fixed_stream() -> Network:
    """Inputs and outputs fix the groups; the channels between them move within each."""
    up, down = nn.Conv1d(8, 12, 1, groups=4), nn.Conv1d(12, 8, 1, groups=4)
    module = Formula(lambda m, x: x + m.down(F.gelu(m.up(x))), up=up, down=down)
    return Network(module, (torch.randn(2, 8, 5),), [(3, 4)])


@network
def pixel_shuffle() -> Network:
    """Channels that became places move along with those that did not."""
    module = nn.Sequential(nn.Conv2d(3, 8, 1), nn.GELU(), nn.Conv2d(8, 20, 1), nn.PixelShuffle(2), nn.Conv2d(5, 2, 3))
    return Network(module, (torch.randn(2, 3, 4, 4),), [8, 5])


@network
def mixing_by_fourier_transform() -> Network:
    def function(m: Any, x: Tensor) -> Tensor:
        return m.out(F.gelu(m.up(torch.fft.fft(m.into(x), dim=1).real)))

    module = Formula(function, into=nn.Linear(3, 6), up=nn.Linear(6, 7), out=nn.Linear(7, 2))
    return Network(module, (torch.randn(2, 5, 3),), [6, 7], ["scale", None])


@network
def routed_experts() -> Network:
    """Each row goes to one expert, which fixes the experts; the neurons of each move on their own."""

    def function(m: Any, x: Tensor) -> Tensor:
        expert = m.router(h := m.into(x)).argmax(-1)
        order = expert.argsort()
        ends = torch.bincount(expert, minlength=2).cumsum(0).int()
        y = torch._grouped_mm(torch._grouped_mm(h[order], m.up, offs=ends).relu(), m.down, offs=ends)
        return m.out(torch.zeros_like(y).index_copy(0, order, y))

    layers = {"into": nn.Linear(3, 8), "router": nn.Linear(8, 2), "out": nn.Linear(8, 2)}
    module = Formula(function, **layers, up=parameter(2, 8, 16), down=parameter(2, 16, 8)).bfloat16()
    return Network(module, (torch.randn(40, 3).bfloat16(),), [8, 8, (16, 2)])


@network
def a_layer_beside_its_negative() -> Network:
    """The second layer sees each neuron twice, and tells the two apart."""

    def function(m: Any, x: Tensor) -> Tensor:
        h = m.first(x)
        return m.second(torch.cat([F.relu(h), F.relu(-h)], -1))

    return Network(
        Formula(function, first=nn.Linear(3, 8), second=nn.Linear(16, 2)), (torch.randn(4, 3),), [8], ["scale"]
    )
