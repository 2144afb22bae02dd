"""Verification: random elements of the group, applied in float64, leave the function as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Any

import torch
from torch import Tensor

from wsframework.errors import TraceError
from wsframework.spaces import Symmetry, WeightSpace
from wsframework.tracing.evaluating import evaluate, promoted
from wsframework.tracing.program import Program

TOLERANCE = 1e-12
"""The largest relative change of the function, in float64, that rounding may cause."""

_DRAWS = 2
_PAIRS_UP_TO = 64  # dims: pairs of more are not tried one by one


@dataclass(frozen=True)
class Failure:
    """The relative change that was too large, and the smallest set of dims found to cause it."""

    error: float
    dims: tuple[str, ...]


def verify(program: Program, space: WeightSpace, users: Sequence[Any], generator: torch.Generator) -> float | Failure:
    """The largest relative change of any output under random elements, of weights and inputs changed at random.

    Raises:
        TraceError: where outputs have no numbers.
    """
    worst = 0.0
    moving = frozenset(p.name for p in space.parameters if any(space.dim(o.dim).free for o in p.occurrences))
    for draw in range(_DRAWS):
        state = _randomised(program, moving, generator)
        inputs = [_jittered(u, generator) for u in users] if draw else users
        symmetry = space.random_symmetry(generator)
        outputs = evaluate(program, state, inputs)
        if not any(isinstance(output, Tensor) and output.numel() for output in outputs):
            raise TraceError("on these inputs the outputs have no numbers, by which what was found could be verified")
        change = partial(_change, program, state, inputs, outputs)
        error = change(symmetry)
        if not error <= TOLERANCE:  # so put that "not a number" fails
            return Failure(error, _culprits(space, change, symmetry))
        worst = max(worst, error)
    return worst


def _randomised(program: Program, moving: frozenset[str], generator: torch.Generator) -> dict[str, Tensor]:
    """The state in float64, each number of it changed: zeros and ones would hide what moves.

    Buffers that are not ``moving`` are constants, whose very numbers may be why something is free.
    """
    state = {}
    for name, value in program.state.items():
        wide = promoted(value)
        if name in program.buffers - moving or not (value.is_floating_point() or value.is_complex()):
            state[name] = wide
        elif name in program.buffers:
            state[name] = _buffer(wide, generator)
        else:
            size = wide.abs().pow(2).mean().sqrt() if value.numel() else 0
            state[name] = wide + _noise(value, generator) * (0.1 + 0.5 * size)
    return state


def _buffer(value: Tensor, generator: torch.Generator) -> Tensor:
    """A buffer that is positive stays so."""
    noise = 0.3 * _noise(value, generator)
    positive = not value.is_complex() and bool((value > 0).all())
    return value * noise.exp() if positive else value + noise


def _jittered(value: Any, generator: torch.Generator) -> Any:
    """Another input like this one: numbers with a fraction change, whole ones (indices, masks) do not."""
    if not isinstance(value, Tensor) or not value.is_floating_point() or not value.numel():
        return value
    return value + _noise(value, generator).to(value.dtype) * (0.1 + 0.3 * value.double().pow(2).mean().sqrt())


def _noise(value: Tensor, generator: torch.Generator) -> Tensor:
    dtype = torch.complex128 if value.is_complex() else torch.float64
    return torch.randn(value.shape, generator=generator, dtype=dtype)


def _change(
    program: Program, state: Mapping[str, Tensor], users: Sequence[Any], before: Sequence[Any], symmetry: Symmetry
) -> float:
    """``||f(g w) - f(w)|| / ||f(w)||``, the largest over outputs; a buffer's new value must move as the buffer does."""
    after = evaluate(program, _acted(symmetry, state), users)
    renewed = {b: value for b, value in zip(program.outputs, before, strict=True) if b is not None}
    moved = _acted(symmetry, {**state, **renewed}) if renewed else {}
    errors = [0.0]
    for buffer, old, new in zip(program.outputs, before, after, strict=True):
        if isinstance(old, Tensor):
            errors.append(_relative(new, old if buffer is None else moved[buffer]))
    return max(errors) if all(e == e for e in errors) else float("nan")


def _acted(symmetry: Symmetry, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return symmetry.act({name: state[name] for name in symmetry.space.shapes})


def _relative(found: Tensor, expected: Tensor) -> float:
    if found.shape != expected.shape:
        return float("inf")
    if not (expected.is_floating_point() or expected.is_complex()):
        return 0.0 if torch.equal(found, expected) else float("inf")
    same = found == expected  # infinities, too
    error = torch.where(same, 0, found - expected).norm().item()
    size = torch.where(expected.isfinite(), expected, 0).norm().item()
    return 0.0 if error == 0 else error / size if size else float("inf")


def _culprits(space: WeightSpace, change: Callable[[Symmetry], float], symmetry: Symmetry) -> tuple[str, ...]:
    """The smallest set of dims whose part of ``symmetry`` changes the function: one, two, or what is left of all."""

    def breaks(dims: Sequence[str]) -> bool:
        return not change(_restricted(symmetry, dims)) <= TOLERANCE

    names = list(space.free)
    for count in (1, 2) if len(names) <= _PAIRS_UP_TO else (1,):
        for dims in combinations(names, count):
            if breaks(dims):
                return dims
    for name in list(names):
        if breaks(rest := [n for n in names if n != name]):
            names = rest
    return tuple(names)


def _restricted(symmetry: Symmetry, dims: Sequence[str]) -> Symmetry:
    """The element that moves these dims as ``symmetry`` does, and no others."""
    still = symmetry.space.identity_symmetry()
    return Symmetry(
        symmetry.space,
        {name: symmetry.permutations[name] if name in dims else p for name, p in still.permutations.items()},
        {name: symmetry.factors[name] if name in dims else f for name, f in still.factors.items()},
    )
