"""Layers over sets of examples in groups: means of DeepSets, and attention with inducing points."""

from __future__ import annotations

import torch
from einops import rearrange, repeat
from torch import Tensor, nn


def mean_of(h: Tensor, taken: Tensor) -> Tensor:
    """The mean of h (..., places, width) over the places that are ``taken`` (..., places); zeros where none is."""
    weight = taken.to(h).unsqueeze(-1)
    return (h * weight).sum(-2) / weight.sum(-2).clamp(min=1)


class MeanBlock(nn.Module):
    """``h + MLP(h, mean of its group, mean of all)``.

    Reference: Zaheer et al. 2017, arXiv:1703.06114 (its equivariant layer).
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.own = nn.Linear(width, width)
        self.group, self.whole = (nn.Linear(width, width, bias=False) for _ in range(2))
        self.out = nn.Sequential(nn.SiLU(), nn.Linear(width, width))

    def forward(self, h: Tensor, taken: Tensor) -> Tensor:
        """h (batch, groups, places, width), taken (batch, groups, places), to h anew."""
        g = self.norm(h)
        group = rearrange(self.group(mean_of(g, taken)), "batch group width -> batch group 1 width")
        whole = self.whole(mean_of(g.flatten(1, 2), taken.flatten(1)))
        whole = rearrange(whole, "batch width -> batch 1 1 width")
        new: Tensor = h + self.out(self.own(g) + group + whole)
        return new


class Attention(nn.Module):
    """Multi-head attention of some tokens to those of others that are there."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.value, self.out = (nn.Linear(width, width) for _ in range(3))
        self.key = nn.Linear(width, width, bias=False)

    def forward(self, asking: Tensor, h: Tensor, taken: Tensor) -> Tensor:
        """asking (batch, m, width), h (batch, n, width), taken (batch, n): (batch, m, width)."""
        q, k, v = (
            rearrange(part, "batch token (heads k) -> batch heads token k", heads=self.heads)
            for part in (self.query(asking), self.key(h), self.value(h))
        )
        mask = rearrange(taken | ~taken.any(1, keepdim=True), "batch n -> batch 1 1 n")
        found = nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        answer: Tensor = self.out(rearrange(found, "batch heads token k -> batch token (heads k)"))
        return answer


class InducedBlock(nn.Module):
    """Every example attends to ``inducing`` points, and these to all examples; then an MLP.

    Reference: Lee et al. 2019, arXiv:1810.00825 (its induced set attention block).
    """

    def __init__(self, width: int, heads: int, inducing: int) -> None:
        super().__init__()
        self.points = nn.Parameter(torch.randn(inducing, width))
        self.norm, self.norm_mlp = nn.LayerNorm(width), nn.LayerNorm(width)
        self.gather, self.spread = Attention(width, heads), Attention(width, heads)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.SiLU(), nn.Linear(2 * width, width))

    def forward(self, h: Tensor, taken: Tensor) -> Tensor:
        """h (batch, groups, places, width), taken (batch, groups, places), to h anew."""
        tokens, there = h.flatten(1, 2), taken.flatten(1)
        g = self.norm(tokens)
        points = repeat(self.points, "m width -> batch m width", batch=len(h))
        points = points + self.gather(points, g, there)
        tokens = tokens + self.spread(g, points, there.new_ones(points.shape[:2]))
        new: Tensor = tokens + self.mlp(self.norm_mlp(tokens))
        return new.reshape(h.shape)


class AttentionPool(nn.Module):
    """One learned question to the examples of each group.

    Reference: Lee et al. 2019, arXiv:1810.00825 (its pooling by attention).
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.seed = nn.Parameter(torch.randn(1, width))
        self.attention = Attention(width, heads)

    def forward(self, h: Tensor, taken: Tensor) -> Tensor:
        """h (batch, groups, places, width), taken (batch, groups, places): (batch, groups, width), zeros for none."""
        tokens, there = h.flatten(0, 1), taken.flatten(0, 1)
        answer: Tensor = self.attention(repeat(self.seed, "m width -> batch m width", batch=len(tokens)), tokens, there)
        return (answer.squeeze(1) * there.any(1, keepdim=True)).reshape(*h.shape[:2], -1)


class MeanPool(nn.Module):
    """The mean of each group."""

    def forward(self, h: Tensor, taken: Tensor) -> Tensor:
        """h (batch, groups, places, width), taken (batch, groups, places): (batch, groups, width), zeros for none."""
        return mean_of(h, taken)
