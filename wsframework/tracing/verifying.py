"""Verification: random elements of the group, applied in float64, leave the function as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.fx import Node

from wsframework.spaces import Symmetry, WeightSpace
from wsframework.tracing.program import Program
from wsframework.tracing.walking import walk

TOLERANCE = 1e-12


def randomised(program: Program, space: WeightSpace, generator: torch.Generator) -> dict[str, Tensor]:
    """The state in float64, each number of it changed a little: zeros and ones would hide what moves.

    Buffers that are positive stay so; those that don't move stay as they are.
    """
    state = {}
    for name, value in program.state.items():
        if not value.is_floating_point():
            state[name] = value
        elif name in program.buffers:
            state[name] = _jittered_buffer(value.double(), generator)
        else:
            noise = torch.randn(value.shape, generator=generator, dtype=torch.float64)
            scale = value.double().std() if value.numel() > 1 else value.double().abs().mean()
            state[name] = value.double() + noise * (0.1 + 0.5 * scale)
    return state


def _jittered_buffer(value: Tensor, generator: torch.Generator) -> Tensor:
    noise = torch.randn(value.shape, generator=generator, dtype=torch.float64)
    return value * (0.3 * noise).exp() if (value > 0).all() else value + 0.3 * noise


def change(
    program: Program, state: Mapping[str, Tensor], users: Sequence[Any], symmetry: Symmetry, moving: frozenset[str]
) -> float:
    """``||f(g w) - f(w)|| / ||f(w)||``, the largest over outputs; new values of buffers must move as the buffers do."""
    moved = {**state, **_acted(symmetry, state)}
    before = evaluate(program, state, users)
    after = evaluate(program, moved, users)
    errors = [0.0]
    expected_buffers = _acted(symmetry, {**state, **{b: v for b, v in zip(program.outputs, before, strict=True) if b}})
    for buffer, old, new in zip(program.outputs, before, after, strict=True):
        if isinstance(old, Tensor) and isinstance(new, Tensor):
            expected = old if buffer is None else expected_buffers[buffer]
            errors.append(_relative(new, expected))
    return max(errors)


def _acted(symmetry: Symmetry, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return symmetry.act({name: state[name] for name in symmetry.space.shapes})


def _relative(found: Tensor, expected: Tensor) -> float:
    if found.shape != expected.shape:
        return float("inf")
    if not (expected.is_floating_point() or expected.is_complex()):
        return 0.0 if torch.equal(found, expected) else float("inf")
    same = (found == expected) | (found.isnan() & expected.isnan())  # infinities, too
    difference = torch.where(same, 0, found - expected)
    size = torch.where(expected.isfinite(), expected, 0).norm().item()
    error = difference.norm().item()
    return 0.0 if error == 0 else float("inf") if size == 0 else error / size


def evaluate(program: Program, state: Mapping[str, Tensor], users: Sequence[Any]) -> tuple[Any, ...]:
    """The outputs in float64: inputs and constants promoted, and casts to less precision inside the graph, too."""
    arguments = [_promoted(a) for a in program.arguments(state, users)]
    with torch.no_grad():
        return walk(program.graph, arguments, _visit)


def _visit(node: Node, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    target: Any = node.target
    if kwargs.get("dtype") in (torch.float32, torch.float16, torch.bfloat16):
        kwargs = {**kwargs, "dtype": torch.float64}
    args = tuple(torch.float64 if a in (torch.float32, torch.float16, torch.bfloat16) else a for a in args) if any(
        isinstance(a, torch.dtype) for a in args
    ) else args
    return _promoted(target(*args, **kwargs))


def _promoted(value: Any) -> Any:
    if isinstance(value, Tensor):
        if value.is_complex():
            return value.to(torch.complex128)
        return value.double() if value.is_floating_point() else value
    if isinstance(value, (list, tuple)):
        return type(value)(_promoted(v) for v in value)
    return value


def restricted(symmetry: Symmetry, dims: Sequence[str]) -> Symmetry:
    """The element that moves these dims as ``symmetry`` does, and no others."""
    still = symmetry.space.identity_symmetry()
    return Symmetry(
        symmetry.space,
        {n: symmetry.permutations[n] if n in dims else p for n, p in still.permutations.items()},
        {n: symmetry.factors[n] if n in dims else f for n, f in still.factors.items()},
    )
