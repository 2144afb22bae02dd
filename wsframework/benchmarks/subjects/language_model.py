"""A transformer language model of any depth, in plain torch."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class LanguageModel(nn.Module):
    """Pre-norm blocks of causal attention and perceptron between an embedding and a head of its own."""

    def __init__(self, width: int, layers: int, *, heads: int = 4, words: int = 32, length: int = 16) -> None:
        super().__init__()
        self.words, self.positions = nn.Embedding(words, width), nn.Embedding(length, width)
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(layers)))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, words, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Words (batch, positions) to logits (batch, positions, words)."""
        stream = self.words(x) + self.positions(torch.arange(x.shape[1]))
        logits: Tensor = self.head(self.norm(self.blocks(stream)))
        return logits


class Block(nn.Module):
    """Attention, then a perceptron four times as wide, each added to the stream that it reads normalised."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, stream: Tensor) -> Tensor:
        """(batch, positions, width) to the same shape."""
        parts = self.qkv(self.before(stream)).chunk(3, dim=-1)
        q, k, v = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in parts)
        attended = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        stream = stream + self.out(attended.transpose(1, 2).flatten(-2))
        added: Tensor = self.down(functional.gelu(self.up(self.between(stream))))
        return stream + added
