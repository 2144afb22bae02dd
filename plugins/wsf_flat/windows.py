"""Attention whose memory grows with the length of a sequence, not with its square."""

from __future__ import annotations

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional


class Heads(nn.Module):
    """Multi-head attention from some tokens to others, each normalised before."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key_value = nn.Linear(width, width), nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)

    def forward(self, to: Tensor, of: Tensor, mask: Tensor | None = None) -> Tensor:
        """What tokens ``to`` (batch, n, width) take from ``of`` (batch, m, width), with a mask (batch, 1, 1, m)."""
        query = rearrange(self.query(to), "b n (h d) -> b h n d", h=self.heads)
        key, value = rearrange(self.key_value(of), "b m (two h d) -> two b h m d", two=2, h=self.heads)
        found = functional.scaled_dot_product_attention(query, key, value, mask)
        out: Tensor = self.out(rearrange(found, "b h n d -> b n (h d)"))
        return out


class Windows(nn.Module):
    """Each token attends to its window of the sequence and to a halo on both sides of it.

    Reference: Beltagy et al. 2020, arXiv:2004.05150.

    Arguments:
        window, halo: numbers of tokens.
    """

    def __init__(self, width: int, heads: int, window: int, halo: int) -> None:
        super().__init__()
        self.attend, self.window, self.halo = Heads(width, heads), window, halo

    def forward(self, tokens: Tensor) -> Tensor:
        """tokens (batch, n, width) to the same."""
        batch, count, _ = tokens.shape
        fill = -count % self.window
        inner = functional.pad(tokens, (0, 0, 0, fill))
        to = rearrange(inner, "b (k w) d -> (b k) w d", w=self.window)
        whole = functional.pad(tokens, (0, 0, self.halo, fill + self.halo))
        of = whole.unfold(1, self.window + 2 * self.halo, self.window)
        mask = self._mask(count, fill, tokens.device).repeat(batch, 1)
        found = self.attend(to, rearrange(of, "b k d w -> (b k) w d"), rearrange(mask, "b w -> b 1 1 w"))
        out: Tensor = rearrange(found, "(b k) w d -> b (k w) d", b=batch)[:, :count]
        return out

    def _mask(self, count: int, fill: int, device: torch.device) -> Tensor:
        """Which places of each window and its halo have a token: (windows, window + 2 halo)."""
        there = functional.pad(torch.ones(count, dtype=torch.bool, device=device), (self.halo, fill + self.halo))
        return there.unfold(0, self.window + 2 * self.halo, self.window)


class Registers(nn.Module):
    """A few tokens that read the whole sequence, and are read by all of it.

    Reference: Lee et al. 2019, arXiv:1810.00825 (induced set attention).
    """

    def __init__(self, width: int, heads: int, count: int) -> None:
        super().__init__()
        self.registers = nn.Parameter(torch.randn(count, width))
        self.gather, self.norm, self.give = Heads(width, heads), nn.LayerNorm(width), Heads(width, heads)

    def forward(self, tokens: Tensor) -> Tensor:
        """tokens (batch, n, width) to the same."""
        registers = self.registers.expand(len(tokens), -1, -1)
        registers = registers + self.gather(registers, tokens)
        found: Tensor = self.give(tokens, self.norm(registers))
        return found
