"""The update of a table of edges, piece by piece in the cache, as one node of autograd."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

CHUNK = 2**18
"""Numbers of edges that are worked on at once: few enough for the cache, enough to be worth the calls."""

_aten = torch.ops.aten
Shape = tuple[int, int, int, int]


class EdgeUpdate(torch.autograd.Function):
    """``p' = p + A relu(p) + u + v`` for targets' u and sources' v, and sums of ``relu(p')`` at both ends.

    Both sums over a piece of p' are taken while it is in the cache, and so is all that its gradient needs.
    """

    @staticmethod
    def forward(ctx: Any, p: Tensor, u: Tensor, v: Tensor, a: Tensor, shape: Shape) -> tuple[Tensor, Tensor, Tensor]:
        """The update of the edges of one table.

        Arguments:
            p: edges (shared targets sources labels, batch, channels).
            u: (shared, targets, batch, channels).
            v: (shared, sources, batch, channels).
            a: (channels, channels).
            shape: shared, targets, sources, labels.

        Returns:
            Edges, and sums for each target and for each source, of the shapes of p, u and v.
        """
        out, to_u, to_v = torch.empty_like(p), torch.empty_like(u), torch.zeros_like(v)
        for piece in pieces(p, shape):
            before, after = piece.of(p), piece.of(out)
            z = torch.clamp(before, min=0)
            torch.addmm(_flat(before), _flat(z), a.t(), out=_flat(after))
            piece.add_ends(after, u, v)
            piece.pool(torch.clamp(after, min=0, out=z), to_u, to_v)
        ctx.shape = shape
        ctx.save_for_backward(p, out, a)
        return out, to_u, to_v

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: Tensor, g_u: Tensor, g_v: Tensor) -> tuple[Any, ...]:
        """The gradients of what `forward` returns to those of what it is given."""
        p, out, a = ctx.saved_tensors
        g, g_u, g_v = g.contiguous(), g_u.contiguous(), g_v.contiguous()
        to_p, to_u, to_v, to_a = torch.empty_like(p), torch.empty_like(g_u), torch.zeros_like(g_v), torch.zeros_like(a)
        for piece in pieces(p, ctx.shape):
            before = piece.of(p)
            given = piece.through(g_u, g_v, piece.of(out)).add_(piece.of(g))
            piece.pool(given, to_u, to_v)
            z = torch.clamp(before, min=0)
            to_a.addmm_(_flat(given).t(), _flat(z))
            to_z = torch.mm(_flat(given), a, out=_flat(z)).view_as(before)
            back = piece.of(to_p)
            _aten.threshold_backward.grad_input(to_z, before, 0, grad_input=back)
            back.add_(given)
        return to_p, to_u, to_v, to_a, None


class EdgePool(torch.autograd.Function):
    """Sums of ``relu(p)`` over the edges at each target and at each source, as `EdgeUpdate` has them."""

    @staticmethod
    def forward(ctx: Any, p: Tensor, shape: Shape) -> tuple[Tensor, Tensor]:
        """Edges (shared targets sources labels, batch, channels) to (shared, targets or sources, batch, channels)."""
        shared, targets, sources, _ = shape
        to_u, to_v = (p.new_zeros(shared, ends, *p.shape[1:]) for ends in (targets, sources))
        for piece in pieces(p, shape):
            piece.pool(torch.clamp(piece.of(p), min=0), to_u, to_v)
        ctx.shape = shape
        ctx.save_for_backward(p)
        return to_u, to_v

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g_u: Tensor, g_v: Tensor) -> tuple[Tensor, None]:
        """The gradients of sums to that of edges."""
        (p,) = ctx.saved_tensors
        g_u, g_v, to_p = g_u.contiguous(), g_v.contiguous(), torch.empty_like(p)
        for piece in pieces(p, ctx.shape):
            piece.of(to_p).copy_(piece.through(g_u, g_v, piece.of(p)))
        return to_p, None


class Piece:
    """Some of the shared elements and of the targets of a table of edges."""

    def __init__(self, shape: Shape, shared: slice, targets: slice) -> None:
        self.shape, self.shared, self.targets = shape, shared, targets

    def of(self, p: Tensor) -> Tensor:
        """Edges: (shared, targets, sources, labels, batch, channels)."""
        return p.view(*self.shape, *p.shape[1:])[self.shared, self.targets]

    def add_ends(self, p: Tensor, u: Tensor, v: Tensor) -> None:
        """Add what targets (shared, targets, batch, channels) and sources have to a piece of edges."""
        p.add_(u[self.shared, self.targets, None, None]).add_(v[self.shared, None, :, None])

    def pool(self, p: Tensor, to_u: Tensor, to_v: Tensor) -> None:
        """The sum of a piece of edges for each target; and added, for each source."""
        to_u[self.shared, self.targets] = p.sum((2, 3))
        to_v[self.shared].add_(p.sum((1, 3)))

    def through(self, u: Tensor, v: Tensor, p: Tensor) -> Tensor:
        """Gradients of sums to a gradient of edges, where these are positive."""
        ends = u[self.shared, self.targets, None, None] + v[self.shared, None, :, None]
        ends = ends.expand_as(p).contiguous()
        found: Tensor = _aten.threshold_backward.grad_input(ends, p, 0, grad_input=ends)
        return found


def pieces(p: Tensor, shape: Shape) -> Iterator[Piece]:
    """A table of edges in pieces, each in one piece of memory."""
    shared, targets, *_ = shape
    each = max(1, p.numel() // shared)
    most, rows = (max(1, CHUNK // each), targets) if each <= CHUNK else (1, max(1, CHUNK * targets // each))
    for outer in range(0, shared, most):
        for start in range(0, targets, rows):
            yield Piece(shape, slice(outer, outer + most), slice(start, start + rows))


def _flat(p: Tensor) -> Tensor:
    return p.view(-1, p.shape[-1])
