"""`canonical`: networks that differ by a symmetry get one latent, and an inner encoder sees representatives."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from wsf_equivariant.canonical import CanonicalForm
from wsf_equivariant.normalisation import Orbit

from wsframework.spaces import Symmetry
from wsframework.testing.equivariance import assert_invariant
from wsframework.testing.strategies import mlp_space

F64 = torch.float64


@pytest.mark.parametrize("gauge", ["sign", "scale", None])
@given(seed=st.integers(0, 2**16))
@settings(deadline=None, max_examples=10)
def test_what_differs_by_a_symmetry_has_one_latent(gauge, seed):
    space, g = mlp_space((2, 4, 3, 1), gauge=gauge), torch.Generator().manual_seed(seed)
    zoo = torch.randn(6, space.size, generator=g, dtype=F64)
    encoder = CanonicalForm(space, neurons="order", inner=Orbit(space)).double()
    encoder.fit(zoo, space)
    moved = space.random_symmetry(g).act(zoo)
    torch.testing.assert_close(encoder.encode(moved, space), encoder.encode(zoo, space), rtol=1e-9, atol=1e-9)


def test_with_neurons_kept_signs_alone_go():
    space = mlp_space((2, 4, 1), gauge="sign")
    encoder = CanonicalForm(space).double()
    g = space.random_symmetry(torch.Generator().manual_seed(0))
    x = torch.randn(3, space.size, dtype=F64)
    only_signs = Symmetry(space, space.identity_symmetry().permutations, g.factors)
    torch.testing.assert_close(encoder.encode(only_signs.act(x), space), encoder.encode(x, space))
    still = space.random_symmetry(torch.Generator().manual_seed(1), gauge=False)
    torch.testing.assert_close(encoder.encode(still.act(x), space), still.act(encoder.encode(x, space)))


def test_an_aligned_zoo_lies_nearer_together():
    space, g = mlp_space((2, 6, 1)), torch.Generator().manual_seed(3)
    one = torch.randn(1, space.size, generator=g, dtype=F64)
    copies = [
        space.random_symmetry(g).act(one + torch.randn(1, space.size, generator=g, dtype=F64) / 50) for _ in "abcd"
    ]
    zoo = torch.cat(copies)
    encoder = CanonicalForm(space, neurons="align").double()
    encoder.fit(zoo, space)
    assert torch.pdist(encoder.encode(zoo, space)).max() < torch.pdist(zoo).min() / 4


def test_it_is_invariant_in_full():
    space = mlp_space((3, 5, 2), gauge="scale")
    encoder = CanonicalForm(space, neurons="order").double()
    assert_invariant(lambda x: encoder.encode(x, space), space, gauge=True)
