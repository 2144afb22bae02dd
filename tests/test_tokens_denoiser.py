"""`tokens`: chunks hold every weight once, windows see what they should, memory grows with the number of weights."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from wsf_flat.chunks import chunks
from wsf_flat.tokens import Tokens
from wsf_flat.windows import Windows

from wsframework.errors import PartError, SpaceError
from wsframework.testing.equivariance import equivariance_error
from wsframework.testing.strategies import mlp_space, mlp_spaces, weight_spaces

CPU, F64 = torch.device("cpu"), torch.float64


@given(mlp_spaces() | weight_spaces(max_size=300), st.integers(1, 9))
@settings(deadline=None, max_examples=20)
def test_chunks_hold_every_coordinate_once(space, length):
    found = chunks(space, length, CPU)
    held = found.index[found.index < space.size]
    assert torch.equal(held.sort().values, torch.arange(space.size))
    assert len(found.index) == len(found.role) == len(found.place)


@given(st.integers(1, 12), st.integers(1, 5), st.integers(0, 4), st.integers(0, 11))
@settings(deadline=None, max_examples=30)
def test_a_token_sees_its_window_and_the_halo_and_no_more(count, window, halo, moved):
    moved %= count
    torch.manual_seed(0)
    attention = Windows(4, 2, window, halo).double()
    tokens = torch.randn(1, count, 4, dtype=F64)
    other = tokens.clone()
    other[0, moved] += 1
    with torch.no_grad():
        changed = (attention(tokens) - attention(other)).abs().amax(-1)[0] > 1e-12
    first = torch.arange(count) // window * window
    sees = (first - halo <= moved) & (moved < first + window + halo)
    assert torch.equal(changed, sees)


def test_it_is_not_equivariant():
    space = mlp_space((2, 6, 5, 1))
    torch.manual_seed(0)
    denoiser = Tokens(space, 0, chunk=4, width=8, heads=2, blocks=1).double()
    x, t, none = torch.randn(2, space.size, dtype=F64), torch.full((2,), 0.5, dtype=F64), torch.empty(2, 0, dtype=F64)
    g = space.random_symmetry(torch.Generator().manual_seed(1))
    assert equivariance_error(lambda v: denoiser(v, t, none, space), space, x, g) > 1e-3


def test_a_depth_and_widths_never_seen_are_served():
    denoiser = Tokens(mlp_space((2, 3, 4, 2)), 0, chunk=4, width=8, heads=2, blocks=1)
    other = mlp_space((2, 9, 7, 8, 2))
    out = denoiser(torch.randn(3, other.size), torch.rand(3), torch.empty(3, 0), other)
    assert out.shape == (3, other.size)


def test_what_it_does_not_know_is_refused_by_name():
    denoiser = Tokens(mlp_space((2, 3, 2)), 0, width=8, heads=2, blocks=1)
    other = mlp_space((2, 3, 4, 2))
    with pytest.raises(SpaceError, match=r"no matrices for role 'hidden\.weight'"):
        denoiser(torch.randn(1, other.size), torch.rand(1), torch.empty(1, 0), other)
    with pytest.raises(PartError, match="heads = 3 do not share width = 8 evenly"):
        Tokens(other, 0, width=8, heads=3)
