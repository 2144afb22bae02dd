"""Modules that are hard to copy, or to compute in double precision."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from networks import Formula
from torch import Tensor, nn
from torch.nn.utils import weight_norm

from wsframework.alignment import align, augment, canonical, quotient_distance
from wsframework.errors import SpaceError, TraceError
from wsframework.spaces import Weights
from wsframework.tracing import examine, trace


@pytest.mark.filterwarnings("ignore:.*weight_norm:FutureWarning")
def test_weights_that_a_hook_computes_are_copied() -> None:
    module = nn.Sequential(weight_norm(nn.Linear(3, 8)), nn.Tanh(), nn.Linear(8, 2))
    computed = module[0].weight
    assert trace(module, torch.randn(4, 3)).free == {"dim_0": 8}
    assert module[0].weight is computed


def complex_module() -> Formula:
    """A real layer, then a complex one."""

    def function(m: Any, x: Tensor) -> Tensor:
        return torch.view_as_real(m.a(x).to(torch.complex64) @ m.w)

    return Formula(function, a=nn.Linear(3, 6), w=nn.Parameter(torch.randn(6, 4, dtype=torch.complex64)))


def test_complex_weights_are_verified_in_double_precision() -> None:
    torch.manual_seed(0)
    found = examine(complex_module(), torch.randn(4, 3))
    assert list(found.space.free.values()) == [6]
    assert found.error <= 1e-12


@pytest.mark.parametrize("what", [lambda w: align(w, w[0]), canonical, lambda w: quotient_distance(w, w)])
def test_complex_weights_are_not_aligned(what: Any) -> None:
    module = complex_module()
    space = trace(module, torch.randn(4, 3))
    weights = augment(Weights.from_state_dicts(space, [module.state_dict()]))
    with pytest.raises(SpaceError, match="complex numbers"):
        what(weights)


@torch.library.custom_op("wsf_tests::single", mutates_args=())
def single(x: Tensor) -> Tensor:
    """An operator of single precision alone."""
    if x.dtype != torch.float32:
        raise RuntimeError("only floats of 32 bits")
    return x + 1


@single.register_fake
def _(x: Tensor) -> Tensor:
    return torch.empty_like(x)


def test_an_operator_without_double_precision_is_named() -> None:
    module = Formula(lambda m, x: m.b(single(m.a(x))), a=nn.Linear(3, 6), b=nn.Linear(6, 2))
    with pytest.raises(TraceError, match=r"wsf_tests.single.* in double precision, .*: only floats of 32 bits"):
        trace(module, torch.randn(4, 3))


def test_nothing_is_verified_by_no_numbers() -> None:
    with pytest.raises(TraceError, match="the outputs have no numbers"):
        trace(nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2)), torch.randn(0, 3))
