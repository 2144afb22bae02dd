"""Evaluation of a program in float64, whatever it casts to inside."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.fx import Node

from wsframework.errors import TraceError
from wsframework.tracing.program import Program
from wsframework.tracing.walking import walk

_WIDE = {
    **dict.fromkeys((torch.float32, torch.float16, torch.bfloat16), torch.float64),
    **dict.fromkeys((torch.complex64, torch.complex32), torch.complex128),
}


def evaluate(program: Program, state: Mapping[str, Tensor], users: Sequence[Any]) -> tuple[Any, ...]:
    """The outputs: inputs and constants are promoted, and so is every cast to less precision inside the graph."""
    with torch.no_grad():
        return walk(program.graph, [promoted(a) for a in program.arguments(state, users)], compute)


def compute(node: Node, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """What the operator of ``node`` gives for these arguments, in double precision.

    Raises:
        TraceError: where it can't be computed in double precision.
    """
    target: Any = node.target
    target = _DOUBLED.get(str(target), target)
    try:
        return promoted(target(*map(_widened, args), **{name: _widened(value) for name, value in kwargs.items()}))
    except (NotImplementedError, RuntimeError) as error:
        raise TraceError(
            f"{node.target} can't be computed in double precision, in which symmetries are verified: "
            f"{str(error).splitlines()[0]}"
        ) from error


def _grouped_mm(x: Tensor, experts: Tensor, offs: Tensor, *_: Any, **__: Any) -> Tensor:
    """Each row of x (rows, k) times the matrix of its expert (experts, k, n); ``offs``: where an expert's rows end."""
    rows = torch.arange(len(x), device=x.device)
    return (x.unsqueeze(-2) @ experts[torch.searchsorted(offs.long(), rows, right=True)]).squeeze(-2)


_DOUBLED: dict[str, Callable[..., Any]] = {"aten._grouped_mm.default": _grouped_mm}
"""Operators that have no kernel for double precision."""


def _widened(value: Any) -> Any:
    """What a cast is to, in double precision; any other argument as it is."""
    return _WIDE.get(value, value) if isinstance(value, torch.dtype) else value


def promoted(value: Any) -> Any:
    """The same numbers in double precision; whole ones as they are."""
    if isinstance(value, Tensor):
        wide = torch.complex128 if value.is_complex() else torch.float64
        return value.to(wide) if value.is_complex() or value.is_floating_point() else value
    if isinstance(value, (list, tuple)):
        return type(value)(promoted(v) for v in value)
    return value
