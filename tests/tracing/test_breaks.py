"""Breaks made on purpose: each takes away what it has to, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from networks import Formula, Free
from test_corpus import chains
from torch import Tensor, nn

from wsframework.spaces import WeightSpace
from wsframework.tracing import examine, trace


def broken(break_: Callable[[Any, Tensor], Tensor], width: int = 6, **parts: Any) -> Formula:
    """Two hidden layers, of 8 and 6 neurons, the second followed by ``break_``."""
    torch.manual_seed(0)

    def function(m: Any, x: Tensor) -> Tensor:
        return m.c(break_(m, torch.tanh(m.b(torch.tanh(m.a(x))))))

    return Formula(function, a=nn.Linear(3, 8), b=nn.Linear(8, 6), c=nn.Linear(width, 2), **parts)


def free(space: WeightSpace) -> list[Free]:
    return [sizes[0] if len(sizes) == 1 else sizes for sizes, _ in chains(space)]


BREAKS: dict[str, tuple[Formula, list[Free]]] = {
    "nothing": (broken(lambda m, h: h), [6, 8]),
    "a constant that differs": (broken(lambda m, h: h + m.shift, shift=torch.arange(6.0)), [8]),
    "a constant that is the same": (broken(lambda m, h: h + m.shift, shift=torch.ones(6)), [6, 8]),
    "an index": (broken(lambda m, h: h[:, :1], 1), [5, 8]),
    "a range of indices": (broken(lambda m, h: h[:, torch.tensor([0, 1, 2, 2])], 4), [2, 2, 3, 8]),
    "a cumulative sum": (broken(lambda m, h: h.cumsum(-1)), [8]),
    "sorting, of whose order each place is told": (broken(lambda m, h: h.sort(-1).values), [6, 8]),
    "sorting by position": (broken(lambda m, h: h.sort(-1).indices.to(h)), [8]),
    "all but the greatest, by a threshold": (broken(lambda m, h: h * (h >= h.topk(3).values[:, -1:])), [6, 8]),
    "a mask": (broken(lambda m, h: h * m.mask, mask=torch.tensor([1.0, 1, 0, 0, 1, 1])), [8]),
    "half of it": (broken(lambda m, h: torch.cat([h[:, :2], h[:, 2:].sigmoid()], -1)), [2, 4, 8]),
    "a flip, whose pairs the notation can't state": (broken(lambda m, h: h + h.flip(-1)), [8]),
    "the greatest position": (broken(lambda m, h: h.argmax(-1, keepdim=True).to(h), 1), [8]),
}


@pytest.mark.parametrize("name", BREAKS)
def test_broken(name: str) -> None:
    module, expected = BREAKS[name]
    found = examine(module, torch.randn(4, 3))
    assert free(found.space) == sorted(expected, key=lambda dim: str(dim if isinstance(dim, tuple) else (dim,)))
    assert not found.space.notes


def test_the_reason_is_named() -> None:
    found = examine(broken(lambda m, h: h.cumsum(-1)), torch.randn(4, 3))
    assert "cumsum" in found.fixed["b.weight", 0]


@torch.library.custom_op("wsf_tests::stir", mutates_args=())
def stir(x: Tensor) -> Tensor:
    """An operator without a rule."""
    return x.roll(1, -1) * torch.arange(x.shape[-1]).to(x)


@stir.register_fake
def stirred(x: Tensor) -> Tensor:
    """Only the shape of what comes out, which is all that torch.export asks of an operator."""
    return torch.empty_like(x)


@pytest.mark.parametrize("operator", [stir, lambda x: torch.special.bessel_j0(x)], ids=["of this file", "of ATen"])
def test_operators_without_a_rule(operator: Any) -> None:
    space = trace(broken(lambda m, h: operator(h)), torch.randn(4, 3))
    assert free(space) == [8]
    [note] = space.notes
    assert note.endswith("has no rule: 1 dim stays fixed that might be free")
    assert note.startswith(("wsf_tests.stir", "aten.special_bessel_j0"))
