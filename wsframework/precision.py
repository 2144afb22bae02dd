"""Computing in bfloat16: torch's autocast (Micikevicius et al. 2018, arXiv:1710.03740), for parts that know nothing
of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode


@contextmanager
def computing_in(precision: str, device: torch.device) -> Iterator[None]:
    """Matrices are multiplied in ``precision`` inside; ``"float32"`` changes nothing."""
    if precision == "float32":
        yield
        return
    with torch.autocast(device.type, torch.bfloat16), _Writing():
        yield


@contextmanager
def own_steps(*tensors: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """For a function of autograd's that writes its steps itself: its tensors in one dtype, and no autocast inside.

    Where autocast is on, that is its dtype; else tensors stay as they are.
    """
    kind = tensors[0].device.type
    if not torch.is_autocast_enabled(kind):
        yield tensors
        return
    dtype = torch.get_autocast_dtype(kind)
    with torch.autocast(kind, enabled=False):
        yield tuple(value.to(dtype) for value in tensors)


class _Writing(TorchFunctionMode):
    """Values take the dtype of the tensor that they are written into by ``x[index] = values``.

    Under autocast, what a part computes is in one dtype or the other, and torch refuses to write one into the other.
    """

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        if func is Tensor.__setitem__ and isinstance(args[2], Tensor):
            x, index, values = args
            args = (x, index, values.to(x.dtype))
        return func(*args, **(kwargs or {}))
