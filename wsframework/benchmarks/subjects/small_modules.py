"""The modules of the small networks that plain layers in a row don't make."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class Inr(nn.Module):
    """From coordinates to a value, written with matrix products of plain parameters."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.w1, self.b1 = nn.Parameter(torch.randn(width, 2)), nn.Parameter(torch.randn(width))
        self.w2, self.b2 = nn.Parameter(torch.randn(width, width)), nn.Parameter(torch.randn(width))
        self.w3 = nn.Parameter(torch.randn(1, width))

    def forward(self, x: Tensor) -> Tensor:
        """(points, 2) to (points, 1)."""
        hidden = torch.sin(x @ self.w1.T + self.b1)
        return torch.sin(hidden @ self.w2.T + self.b2) @ self.w3.T


class ResidualMlp(nn.Module):
    """One residual block, layer norm before and after it."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(3, width), nn.Linear(width, 2)
        self.before, self.after = nn.LayerNorm(width), nn.LayerNorm(width)
        self.up, self.down = nn.Linear(width, hidden), nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, 3) to (batch, 2)."""
        stream = self.first(x)
        stream = stream + self.down(functional.gelu(self.up(self.before(stream))))
        last: Tensor = self.last(self.after(stream))
        return last


class ResNetBlock(nn.Module):
    """Two convolutions, and a shortcut around them."""

    def __init__(self, read: int, written: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(read, written, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(written, written, 3, 1, 1, bias=False)
        self.bn1, self.bn2 = nn.BatchNorm2d(written), nn.BatchNorm2d(written)
        self.shortcut: nn.Module = nn.Identity()
        if read != written:
            self.shortcut = nn.Sequential(nn.Conv2d(read, written, 1, stride, bias=False), nn.BatchNorm2d(written))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, read, height, width) to (batch, written, height, width), smaller by the stride."""
        inner = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x)))))
        return functional.relu(inner + self.shortcut(x))


class Shared(nn.Module):
    """A layer applied three times."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.again, self.last = nn.Linear(3, width), nn.Linear(width, width), nn.Linear(width, 2)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, 3) to (batch, 2)."""
        hidden = torch.tanh(self.first(x))
        for _ in range(3):
            hidden = torch.tanh(self.again(hidden))
        last: Tensor = self.last(hidden)
        return last


class Concat(nn.Module):
    """Both hidden layers and the input are read by the last layer."""

    def __init__(self, first: int, second: int) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(3, first), nn.Linear(first, second)
        self.last = nn.Linear(first + second + 3, 2)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, 3) to (batch, 2)."""
        first = functional.relu(self.first(x))
        last: Tensor = self.last(torch.cat([first, functional.relu(self.second(first)), x], dim=-1))
        return last


class Attention(nn.Module):
    """Self-attention between two linear layers."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(3, width), nn.Linear(width, 2)
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, positions, 3) to (batch, positions, 2)."""
        stream = self.first(x)
        last: Tensor = self.last(self.attention(stream, stream, stream, need_weights=False)[0])
        return last


class RmsNorm(nn.Module):
    """Division by the root mean square, and a weight."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        """(..., width) to the same shape."""
        return self.weight * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6)


def _rotated(x: Tensor) -> Tensor:
    """Rotary embedding of (batch, heads, positions, head width), both halves of which are turned together."""
    half = x.shape[-1] // 2
    angles = torch.outer(torch.arange(x.shape[-2]), 10_000.0 ** (-torch.arange(half) / half)).to(x)
    cos, sin = angles.cos(), angles.sin()
    first, second = x[..., :half], x[..., half:]
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)


class GroupedQuery(nn.Module):
    """A block as in Llama: queries share keys and values, positions are rotations, the perceptron has gates."""

    def __init__(self, width: int, queries: int, keys: int, head: int, hidden: int) -> None:
        super().__init__()
        self.head, self.share = head, queries // keys
        self.first, self.last = nn.Linear(3, width), nn.Linear(width, 2)
        self.norm1, self.norm2 = RmsNorm(width), RmsNorm(width)
        self.q, self.o = nn.Linear(width, queries * head, bias=False), nn.Linear(queries * head, width, bias=False)
        self.k, self.v = (nn.Linear(width, keys * head, bias=False) for _ in range(2))
        self.gate, self.up, self.down = nn.Linear(width, hidden), nn.Linear(width, hidden), nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, positions, 3) to (batch, positions, 2)."""
        stream = self.first(x)
        read = self.norm1(stream)
        q, k, v = (p(read).unflatten(-1, (-1, self.head)).transpose(1, 2) for p in (self.q, self.k, self.v))
        k, v = (t.repeat_interleave(self.share, dim=1) for t in (_rotated(k), v))
        attended = functional.scaled_dot_product_attention(_rotated(q), k, v)
        stream = stream + self.o(attended.transpose(1, 2).flatten(-2))
        read = self.norm2(stream)
        last: Tensor = self.last(stream + self.down(functional.silu(self.gate(read)) * self.up(read)))
        return last


class TiedLm(nn.Module):
    """A language model of one perceptron block, whose head is its embedding."""

    def __init__(self, words: int, width: int, hidden: int, length: int) -> None:
        super().__init__()
        self.words, self.positions = nn.Embedding(words, width), nn.Embedding(length, width)
        self.up, self.down, self.norm = nn.Linear(width, hidden), nn.Linear(hidden, width), nn.LayerNorm(width)
        self.head = nn.Linear(width, words, bias=False)
        self.head.weight = self.words.weight

    def forward(self, x: Tensor) -> Tensor:
        """Words (batch, positions) to logits (batch, positions, words)."""
        stream = self.words(x) + self.positions(torch.arange(x.shape[1]))
        head: Tensor = self.head(self.norm(stream + self.down(functional.gelu(self.up(stream)))))
        return head


class GruFromGates(nn.Module):
    """A gated recurrent unit, written with its gates."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width
        self.read, self.again, self.last = nn.Linear(3, 3 * width), nn.Linear(width, 3 * width), nn.Linear(width, 2)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, positions, 3) to (batch, 2)."""
        hidden = x.new_zeros(x.shape[0], self.width)
        for time in range(x.shape[1]):
            (r, z, n), (of_r, of_z, of_n) = self.read(x[:, time]).chunk(3, -1), self.again(hidden).chunk(3, -1)
            keep = torch.sigmoid(z + of_z)
            hidden = (1 - keep) * torch.tanh(n + torch.sigmoid(r + of_r) * of_n) + keep * hidden
        last: Tensor = self.last(hidden)
        return last


class Lstm(nn.Module):
    """Two layers, the last state of which is read."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers, self.last = nn.LSTM(3, width, 2, batch_first=True), nn.Linear(width, 2)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, positions, 3) to (batch, 2)."""
        last: Tensor = self.last(self.layers(x)[0][:, -1])
        return last
