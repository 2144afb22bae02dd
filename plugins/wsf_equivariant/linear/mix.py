"""The equivariant linear map, and the activation after it, as one node of autograd.

States are (places, batch, channels), so that every block is one piece, and every product of matrices one call.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from wsf_equivariant.linear.activations import Activation
from wsf_equivariant.linear.blocks import at, chunks, pool_block, write_block
from wsf_equivariant.linear.products import Products, backward_products, forward_products
from wsf_equivariant.linear.program import Program, Slots


class Mix(torch.autograd.Function):
    """``y = f(S M P x)``: P pools to quotients, M mixes each domain by its matrix, S adds quotients to what has them.

    The adjoint of ``S M P`` is ``P' M' S'``: both P and S' are sums over axes, S and P' the opposite, so that backward
    is what forward is, with reads and writes exchanged and matrices transposed. That P takes means is in the matrices.
    """

    @staticmethod
    def forward(
        ctx: Any, state: Tensor, context: Tensor, program: Program, matrices: Tensor, activation: Activation | None
    ) -> Tensor:
        """state (places, batch, C), context (batch, K), all matrices' entries in a row: (places, batch, C')."""
        scaled = matrices * program.scale_like(matrices)
        m = program.views(scaled)
        values, given = pool(state, program), _unknown(program)
        kept = []
        channels = m[0].shape[1] // len(program.mixings[0].writes)
        for mixing, matrix in zip(program.mixings, m, strict=True):
            if not mixing.whole:
                kept.append(collect(values, mixing.reads, (context,) if mixing.context else ()))
                hand_out(kept[-1] @ matrix, mixing.writes, given, channels)
        out = state.new_empty(*state.shape[:2], channels)
        before = out if activation is None or activation.in_place else torch.empty_like(out)
        spread(given, out, before, program, forward_products(program, m, values), activation)
        ctx.program, ctx.context, ctx.activation = program, context.shape[-1], activation
        ctx.save_for_backward(state, scaled, before if activation is not None else None, *kept)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:
        """The gradient (places, batch, C') to those of the state, the context and the matrices."""
        program: Program = ctx.program
        state, scaled, before, *kept = ctx.saved_tensors
        to_matrices, out, to_context = torch.zeros_like(scaled), torch.empty_like(state), None
        m, to_m = program.views(scaled), program.views(to_matrices)
        values, given = pool(gradient.contiguous(), program, before, ctx.activation), _unknown(program)
        remaining = iter(kept)
        for mixing, matrix, to_matrix in zip(program.mixings, m, to_m, strict=True):
            if not mixing.whole:
                x, y = next(remaining), collect(values, mixing.writes, ())
                torch.mm(x.view(-1, x.shape[-1]).t(), y.view(-1, y.shape[-1]), out=to_matrix)
                x = y @ matrix.t()
                if mixing.context:
                    to_context = x[..., x.shape[-1] - ctx.context :]
                hand_out(x, mixing.reads, given, state.shape[-1])
        products = backward_products(program, m, to_m, _blocks(state, program), values)
        spread(given, out, out, program, products, None)
        return out, to_context, None, to_matrices.mul_(program.scale_like(scaled)), None


def _unknown(program: Program) -> list[Any]:
    return [None] * program.count


def _blocks(state: Tensor, program: Program) -> list[Any]:
    """The blocks of a state, (*axes, batch, channels), each at the number of its quotient."""
    found = _unknown(program)
    for root in program.blocks:
        found[root.number] = state[root.start : root.stop].view(*root.shape, *state.shape[1:])
    return found


def pool(
    state: Tensor, program: Program, kept: Tensor | None = None, activation: Activation | None = None
) -> list[Tensor]:
    """Every quotient of the state, sums over the axes that it has not; of a gradient, back through the activation."""
    through, given, before = state, [], []
    if activation is not None and kept is not None:
        through, given, before = torch.empty_like(state), _blocks(state, program), _blocks(kept, program)
    values = _blocks(through, program)
    for root in program.blocks:
        block = values[root.number]
        for index in chunks(block):
            if activation is not None:
                activation.back(at(given[root.number], index), at(before[root.number], index), at(block, index))
            pool_block(block, root.steps, values, index)
    for diagonal in program.diagonals:
        rows = through.index_select(0, diagonal.rows_on(state.device))
        values[diagonal.number] = rows.view(*diagonal.shape, *state.shape[1:])
    for step in program.steps:
        values[step.quotient] = values[step.parent].sum(step.pooled)
    return values


def collect(values: Sequence[Tensor], slots: Slots, more: tuple[Tensor, ...]) -> Tensor:
    """Channels of all slots side by side, (*axes, batch, slots channels), and what comes with them."""
    parts = []
    for slot in slots:
        turned = [
            values[part.quotient] if part.turn is None else values[part.quotient].permute(part.turn) for part in slot
        ]
        if len(slot) > 1:
            turned = [torch.stack([v * part.weight for v, part in zip(turned, slot, strict=True)]).sum(0)]
        parts += turned
    return parts[0].contiguous() if len(parts) == 1 and not more else torch.cat([*parts, *more], dim=-1)


def _turned(value: Tensor, order: tuple[int, ...] | None) -> Tensor:
    return value if order is None else value.permute(order)


def hand_out(mixed: Tensor, slots: Slots, given: list[Any], channels: int) -> None:
    """The transpose of `collect`: channels side by side to what is given to each quotient."""
    sizes = [channels] * len(slots)
    sizes += [mixed.shape[-1] - sum(sizes)]  # what the context had
    for slot, value in zip(slots, mixed.split_with_sizes(sizes, -1), strict=False):
        for part in slot:
            turned = _turned(value, part.back)
            if len(slot) > 1:
                turned = turned * part.weight
            kept = given[part.quotient]
            given[part.quotient] = turned if kept is None else kept.add_(turned)


def spread(
    given: Sequence[Any],
    out: Tensor,
    before: Tensor,
    program: Program,
    products: Products,
    activation: Activation | None,
) -> None:
    """Write the products of each block, and all that is given to its quotients, to ``before``; activated, to ``out``.

    What is given is changed: smaller quotients are added to larger ones, and these to the block.
    """
    for step in reversed(program.steps):
        given[step.parent].add_(step.spread(given[step.quotient]))
    sums, outs = _blocks(before, program), _blocks(out, program)
    at_once = activation if not program.diagonals else None
    for root in program.blocks:
        added = [given[root.number]] if given[root.number] is not None else []
        added += [step.spread(given[step.quotient]) for step in root.steps]
        write_block(outs[root.number], products.get(root.number, ()), added, sums[root.number], at_once)
    for diagonal in program.diagonals:
        rows = given[diagonal.number].reshape(-1, *out.shape[1:])
        before.index_add_(0, diagonal.rows_on(out.device), rows)
    if program.diagonals and activation is not None:
        activation.apply(before, out)
