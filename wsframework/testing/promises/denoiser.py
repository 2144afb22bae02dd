"""What every denoiser promises."""

from __future__ import annotations

import copy
from contextlib import suppress
from functools import partial
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor

from wsframework.parts.interfaces import Denoiser
from wsframework.spaces import WeightSpace, orbits
from wsframework.testing.check import Inapplicable, Refusal, may_decline, promised, require, require_rounding
from wsframework.testing.equivariance import equivariance_error, invariance_error, relative_difference
from wsframework.testing.gauges import turning
from wsframework.testing.promises.denoiser_case import (
    ENDS,
    F32,
    F64,
    DenoiserCase,
    any_case,
    crowded_case,
    gauged_case,
    late_case,
    telling_case,
    wide_case,
)
from wsframework.testing.untouched import leaves_generator
from wsframework.testing.widths import other_widths

ALONG = (1.0, 0.9, 0.5, 0.2, 0.02)
"""Times of which any two neighbours get different answers."""
LEAST = 1e-13
"""The size of a dependence in float64, relative where there is something to compare with, that isn't rounding."""


@promised("denoiser", any_case, may_decline_all=False)
def serves(case: DenoiserCase) -> None:
    """It answers x_t (batch, size) with the same shape and dtype, in float32 and in float64."""
    for dtype in (F32, F64):
        inputs = case.inputs(dtype)
        out = case.answer(case.denoiser(dtype), inputs)
        require(out.shape == inputs[0].shape, f"the answer to {tuple(inputs[0].shape)} has shape {tuple(out.shape)}")
        require(out.dtype == dtype, f"the answer to {dtype} is {out.dtype}")


@promised("denoiser", any_case)
def finite(case: DenoiserCase) -> None:
    """Its answer and the gradients of its parameters are finite at both ends of time, and for large and zero x_t."""
    denoiser = case.denoiser(F32)
    x_t, t, condition = case.inputs(F32)
    for time in ENDS:
        for scale in (0.0, 1.0, 30.0):
            denoiser.zero_grad()
            out = case.answer(denoiser, (scale * x_t, torch.full_like(t, time), condition))
            require(out.isfinite().all(), f"the answer is not finite at t = {time:g} and x_t of size {scale:g}")
            torch.autograd.backward(out.square().mean())
            for name, p in denoiser.named_parameters():
                held = p.grad is None or bool(p.grad.isfinite().all())
                require(held, f"the gradient of {name} is not finite at t = {time:g} and x_t of size {scale:g}")


@promised("denoiser", telling_case)
def trains(case: DenoiserCase) -> None:
    """A gradient reaches every parameter."""
    denoiser = case.denoiser()
    for draw in range(3):
        out = case.answer(denoiser, case.inputs(draw=draw))
        torch.autograd.backward((out * torch.randn_like(out)).sum())
    sizes = {name: 0.0 if p.grad is None else float(p.grad.abs().max()) for name, p in denoiser.named_parameters()}
    for name, p in denoiser.named_parameters():
        require(p.requires_grad, f"{name} takes no gradient")
        require(sizes[name] > LEAST * max(sizes.values()), f"no gradient reaches {name}")


@promised("denoiser", telling_case, further=crowded_case)
def attends(case: DenoiserCase) -> None:
    """Its answer depends on x_t, on every coordinate of it, on t, and on every coordinate of the condition; and weights
    of one orbit are told apart.
    """
    denoiser = case.denoiser()
    touched = [torch.zeros(n, dtype=F64) for n in (case.space.size, case.condition_size)]
    for draw in range(3):
        x_t, t, condition = case.inputs(draw=draw)
        x_t.requires_grad_(), condition.requires_grad_()
        out = case.answer(denoiser, (x_t, t, condition))
        require(out.requires_grad, "no gradient leads from the answer to x_t")
        found = torch.autograd.grad((out * torch.randn_like(out)).sum(), (x_t, condition), allow_unused=True)
        for place, gradient in enumerate(found):
            touched[place] += 0 if gradient is None else gradient.abs().sum(0)
    for name, sizes in zip(("x_t", "the condition"), touched, strict=True):
        require((sizes > LEAST).any(), f"the answer does not depend on {name}")
        blind = [k for k, size in enumerate(sizes.tolist()) if size <= LEAST]
        require(not blind, f"the answer does not depend on coordinate {(*blind, 0)[0]} of {name}")
    for orbit in _orbits(case.space):
        alike = relative_difference(out[0, orbit], out[0, orbit[:1]].expand(len(orbit))) <= LEAST
        require(not alike, f"weights {orbit.tolist()}, of one orbit, all get the same answer, whatever they are")
    rows = [value[:1].expand(len(ALONG), -1) for value in (x_t, condition)]
    answers = case.answer(denoiser, (rows[0], torch.tensor(ALONG, dtype=F64), rows[1]))
    for (late, early), pair in zip(pairwise(answers), pairwise(ALONG), strict=True):
        differ = relative_difference(late, early) > 1e-9
        require(differ, f"the answer does not depend on t between {pair[0]:g} and {pair[1]:g}")


def _orbits(space: WeightSpace) -> list[Tensor]:
    """The places of each orbit of two weights or more, every parameter by itself."""
    index, kinds = orbits(space).index, range(len(orbits(space).keys))
    found = (place[index[place] == kind] for _, place in _parameters(space) for kind in kinds)
    return [orbit for orbit in found if len(orbit) > 1]


def _parameters(space: WeightSpace) -> list[tuple[str, Tensor]]:
    """The name of each parameter, and the places of its coordinates."""
    return [(name, place.flatten()) for name, place in space.unflatten(torch.arange(space.size)).items()]


@promised("denoiser", telling_case)
def relates(case: DenoiserCase) -> None:
    """Its answer for some coordinates depends on others: each neuron, and each parameter, is seen from outside it."""
    denoiser, space = case.denoiser(), case.space
    x_t, t, condition = (value[:1] for value in case.inputs())
    names, owned = _groups(space)
    moved = torch.where(owned, x_t + torch.randn(len(owned), space.size), x_t)
    count = 1 + len(owned)
    out = case.answer(denoiser, (torch.cat([x_t, moved]), t.expand(count), condition.expand(count, -1)))
    for name, mine, after in zip(names, owned, out[1:], strict=True):
        seen = relative_difference(after[~mine], out[0, ~mine]) > LEAST
        require(seen, f"what it says of other weights does not depend on {name}")


def _groups(space: WeightSpace) -> tuple[list[str], Tensor]:
    """Neurons and parameters: the name of each, and which coordinates belong to it, (groups, size), bool."""
    found = [(f"neuron {k} of {dim}", mine) for dim, owned in _neurons(space) for k, mine in enumerate(owned)]
    for name, place in _parameters(space):
        found.append((name, torch.zeros(space.size, dtype=torch.bool).index_fill(0, place, True)))
    return [name for name, _ in found], torch.stack([mine for _, mine in found])


def _neurons(space: WeightSpace) -> list[tuple[str, Tensor]]:
    """For each free dim without an outer one, which coordinates belong to each element: (elements, size), bool."""
    found = []
    for dim in (d for d in space.dims if d.free and d.within is None):
        owned = torch.zeros(dim.size, space.size, dtype=torch.bool)
        for block in space.blocks():
            index = space.block_index(block)
            for place in (p for p, o in enumerate(block.occurrences) if o.dim == dim.name):
                for element, positions in enumerate(index.unbind(place)):
                    owned[element, positions.flatten()] = True
        if owned.any() and not owned.all(1).any():
            found.append((dim.name, owned))
    return found


@promised("denoiser", any_case, further=wide_case)
def claim(case: DenoiserCase) -> None:
    """What it claims of permutations holds: ``f(g x_t, t, c) = g f(x_t, t, c)``, in float32 and in float64, and for
    channels of its own.

    So it does at other widths than its own, where it serves them.
    """
    claimed = case.denoiser().symmetry
    if claimed is None:
        raise Inapplicable("it claims no symmetry")
    for dtype in (F64, F32):
        error = _error(case, case.denoiser(dtype), dtype, case.space)
        require_rounding(error, dtype, f"it is not {claimed}")
    if cast(type[Denoiser], case.subject.part).channels is not Denoiser.channels:
        require_rounding(_error_of_channels(case), F64, f"what its channels hold is not {claimed}")
    for other in other_widths(case.space):
        error = 0.0
        with suppress(Exception):  # which `transfers` judges
            error = _error(case, case.denoiser(), F64, other)
        require_rounding(error, F64, f"it is not {claimed} at other widths, in the space\n{other}\n")


def _error(case: DenoiserCase, denoiser: Denoiser, dtype: torch.dtype, space: WeightSpace) -> float:
    """How far the claim is from holding in ``space``."""
    measure = equivariance_error if denoiser.symmetry == "equivariant" else invariance_error
    g = space.random_symmetry(torch.Generator().manual_seed(case.seed), gauge=False)
    x_t, t, condition = case.inputs(dtype, space)
    return measure(partial(_answer, case, denoiser, t, condition, space), space, x_t, g)


def _error_of_channels(case: DenoiserCase) -> float:
    """The same of a mixture of all channels."""
    g = case.space.random_symmetry(torch.Generator().manual_seed(case.seed), gauge=False)
    denoiser, (x_t, t, condition) = case.denoiser(), case.inputs()

    def mixed(x_t: Tensor) -> Tensor:
        held = denoiser.channels(x_t.clone(), t, condition, case.space)
        found = f"channels of {tuple(x_t.shape)} have shape {tuple(held.shape)}"
        require(held.dim() == 3 and held.shape[:2] == x_t.shape, found)
        return held @ torch.linspace(1, 2, held.shape[-1], dtype=held.dtype)

    return equivariance_error(mixed, case.space, x_t, g)


def _channels(denoiser: Denoiser, t: Tensor, condition: Tensor, space: WeightSpace, x_t: Tensor) -> Tensor:
    """Its channels at a copy of x_t."""
    return denoiser.channels(x_t.clone(), t, condition, space)


def _answer(
    case: DenoiserCase, denoiser: Denoiser, t: Tensor, condition: Tensor, space: WeightSpace, x_t: Tensor
) -> Tensor:
    return case.answer(denoiser, (x_t, t, condition), space)


@promised("denoiser", gauged_case)
def gauges(case: DenoiserCase) -> None:
    """What it claims of gauges holds: ``f(g x_t, t, c) = g f(x_t, t, c)`` for signs or scales g too, in both dtypes.

    No sign and no scale changes channels of its own.
    """
    kinds = case.denoiser().gauges
    if not kinds:
        raise Inapplicable("it claims nothing of gauges")
    turned = turning(case.space, kinds, case.seed)
    for dtype in (F64, F32):
        denoiser, (x_t, t, condition) = case.denoiser(dtype), case.inputs(dtype)
        answer = partial(_answer, case, denoiser, t, condition, case.space)
        moved = f"to {' and '.join(kinds)}s"
        require_rounding(equivariance_error(answer, case.space, x_t, turned), dtype, f"it is not equivariant {moved}")
        if cast(type[Denoiser], case.subject.part).channels is not Denoiser.channels:
            held = partial(_channels, denoiser, t, condition, case.space)
            error = invariance_error(held, case.space, x_t, turned)
            require_rounding(error, dtype, f"its channels are not invariant {moved}")


@promised("denoiser", any_case)
def restores(case: DenoiserCase) -> None:
    """A copy of it, and another one that loads its state dict, give the same answers."""
    one, other = case.denoiser(built=1), case.denoiser(built=2)
    inputs = case.inputs()
    expected = case.answer(one, inputs)
    require(torch.equal(case.answer(copy.deepcopy(one), inputs), expected), "a deep copy answers otherwise")
    other.load_state_dict(one.state_dict(), strict=True)
    require(torch.equal(case.answer(other, inputs), expected), "one that loaded its state dict answers otherwise")


@promised("denoiser", any_case, further=crowded_case)
def separates(case: DenoiserCase) -> None:
    """The members of a batch don't see one another."""
    denoiser, (x_t, t, condition) = case.denoiser(), case.inputs()
    together = case.answer(denoiser, (x_t, t, condition))
    rows = [(x_t[[i]], t[[i]], condition[[i]]) for i in range(min(case.batch, 4))]
    alone = torch.cat([case.answer(denoiser, row) for row in rows])
    error = relative_difference(alone, together[: len(rows)])
    require(error <= 1e-9, "a member alone gets another answer than in its batch")


@promised("denoiser", any_case)
def repeats(case: DenoiserCase) -> None:
    """Equal inputs get equal answers, whatever was asked before, and torch's global generator is left alone.

    What was asked before may have been of other widths.
    """
    denoiser = case.denoiser()
    torch.default_generator.manual_seed(1)
    with leaves_generator():
        first = denoiser(*case.inputs(), case.space)
    denoiser(*case.inputs(draw=7), case.space)
    torch.default_generator.manual_seed(2)
    require(torch.equal(first, denoiser(*case.inputs(), case.space)), "two calls with equal inputs differ")
    for other in other_widths(case.space)[:1]:
        fresh = case.denoiser()
        with suppress(Exception):  # which `transfers` judges
            fresh(*case.inputs(space=other), other)
        require(torch.equal(first, fresh(*case.inputs(), case.space)), "asked for other widths first, it differs")


@promised("denoiser", any_case, further=late_case)
def preserves(case: DenoiserCase) -> None:
    """It leaves x_t, t and the condition as they are, in float32 and in float64."""
    for dtype in (F64, F32):
        inputs = case.inputs(dtype)
        case.denoiser(dtype)(*inputs, case.space)
        for name, value, before in zip(("x_t", "t", "the condition"), inputs, case.inputs(dtype), strict=True):
            require(torch.equal(value, before), f"it changed {name} in place, in {dtype}")


@promised("denoiser", any_case)
def transfers(case: DenoiserCase) -> None:
    """A space of other widths, wider or narrower, is served, or declined in a sentence (a SpaceError)."""
    denoiser = case.denoiser()
    for other in other_widths(case.space):
        inputs = case.inputs(space=other)
        with suppress(Refusal), may_decline():
            out = case.answer(denoiser, inputs, other)
            found = f"at other widths, {tuple(inputs[0].shape)} becomes {tuple(out.shape)}"
            require(out.shape == inputs[0].shape, found)
            require(out.isfinite().all(), "at other widths, the answer is not finite")


CHECKS = (serves, finite, trains, attends, relates, claim, gauges, restores, separates, repeats, preserves, transfers)
