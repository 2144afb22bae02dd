"""`trace`: from any module to its verified weight space."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from wsframework.errors import TraceError, nearest
from wsframework.spaces import WeightSpace
from wsframework.tracing.finding import Found, find
from wsframework.tracing.naming import space_of
from wsframework.tracing.program import Program, moving_buffers, program_of
from wsframework.tracing.reasons import fixed_axes, notes
from wsframework.tracing.verifying import Failure, verify


@dataclass(frozen=True, eq=False)
class Trace:
    """What was found out about a module.

    Attributes:
        space: its weight space; ``space.notes`` says what might be free and is not.
        error: the largest relative change of the function, in float64, under random elements of the group.
        training_error: the same in training mode; a sentence why not, where that could not be tried.
        fixed: for each parameter and axis that doesn't move, why.
        operators: how many the module's graph has.
        seconds: that it took.
    """

    space: WeightSpace
    error: float
    training_error: float | str
    fixed: Mapping[tuple[str, int], str]
    operators: int
    seconds: float


def trace(
    module: nn.Module,
    args: tuple[Any, ...] | Tensor,
    kwargs: Mapping[str, Any] | None = None,
    *,
    carry: Sequence[str] = (),
) -> WeightSpace:
    """The weight space of ``module``: its parameters, and the symmetries that leave its function unchanged.

    The module is exported by torch.export in evaluation mode, and followed operator by operator. Whatever is found
    was verified: random elements of the group were applied in float64, with random weights, and the function
    compared, in training mode as well where no dropout is on. The module itself is left as it is.

    >>> import torch, wsframework as wsf
    >>> print(wsf.trace(torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2)),
    ...                 torch.randn(4, 3)))
    free dim_0:scale=8
    fixed dim_0_in=3 dim_2_out=2
    0.weight  dim_0^+1 dim_0_in
    0.bias    dim_0^+1
    2.weight  dim_2_out dim_0^-1
    2.bias    dim_2_out

    Arguments:
        args, kwargs: example inputs, as the module is called with; what follows from their numbers alone (masks,
            indices) is taken as given.
        carry: buffers that move with their neurons although training doesn't change them (running statistics do
            in any case). Other buffers are constants, which may break a symmetry.

    Raises:
        TraceError: where torch.export can't follow the module, or what was found failed its verification; the
            sentence names the smallest set of dims that broke it.
    """
    return examine(module, args, kwargs, carry=carry).space


def examine(
    module: nn.Module,
    args: tuple[Any, ...] | Tensor,
    kwargs: Mapping[str, Any] | None = None,
    *,
    carry: Sequence[str] = (),
    seed: int = 0,
) -> Trace:
    """As `trace`, with all that was found out; ``seed`` is that of the verification."""
    start = time.perf_counter()
    args, kwargs = (args,) if isinstance(args, Tensor) else tuple(args), dict(kwargs or {})
    users = pytree.tree_leaves((args, kwargs))
    program = program_of(module, args, kwargs)
    training = _training(module, args, kwargs)
    moving = moving_buffers(program, training if isinstance(training, Program) else None)
    moving |= _carried(program, carry)
    both = [program, training] if isinstance(training, Program) else [program]
    found, space, errors = _verified([program], both, users, moving, seed)
    if isinstance(errors[-1], Failure) and len(both) > 1:  # what holds in evaluation mode alone
        found, space, errors = _verified(both, both, users, moving, seed)
    error, *others = [_small(module, e) for e in errors]
    return Trace(
        space=space,
        error=error,
        training_error=training if isinstance(training, str) else others[0],
        fixed=fixed_axes(program, found),
        operators=found.reading.operators,
        seconds=time.perf_counter() - start,
    )


def _training(module: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Program | str:
    """The program in training mode; why not, where it is random or can't be exported."""
    try:
        program = program_of(module, args, kwargs, training=True)
    except TraceError as error:
        return f"in training mode, {error}"
    return "dropout is on in training mode" if program.random else program


def _carried(program: Program, carry: Sequence[str]) -> frozenset[str]:
    for name in carry:
        if name not in program.buffers:
            raise TraceError(f"carry: the module has no buffer {name!r}{nearest(name, program.buffers)}")
    return frozenset(carry)


def _verified(
    read: Sequence[Program], tried: Sequence[Program], users: Sequence[Any], moving: frozenset[str], seed: int
) -> tuple[Found, WeightSpace, list[float | Failure]]:
    """What is found by reading some programs of a module, and by how much it changes others."""
    found = find(read, users, moving)
    space = space_of(found, read[0].ties, notes(found))
    generator = torch.Generator().manual_seed(seed)
    return found, space, [verify(program, space, users, generator) for program in tried]


def _small(module: nn.Module, error: float | Failure) -> float:
    if isinstance(error, Failure):
        dims = " and ".join(repr(dim) for dim in error.dims)
        raise TraceError(
            f"what was found of {type(module).__name__} failed its verification: random elements of the group change "
            f"its function by {error.error:.1e}, relative; {dims} alone do. This is a defect of a rule; please "
            "report it with the module"
        )
    return error
