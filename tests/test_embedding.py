"""The layers that denoisers share: the embedding of time, and FiLM."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wsframework.parts.embedding import Film, TimeEmbedding


@settings(deadline=None, max_examples=20)
@given(size=st.integers(2, 33), dtype=st.sampled_from([torch.float32, torch.float64]))
def test_times_become_vectors_of_the_modules_type(size, dtype):
    tau = TimeEmbedding(size).to(dtype)
    embedding = tau(torch.linspace(0, 1, 5))
    assert embedding.shape == (5, size)
    assert embedding.dtype == dtype
    assert embedding.isfinite().all()


def test_neighbouring_times_of_a_fine_grid_are_told_apart():
    before_mlp: list[torch.Tensor] = []
    tau = TimeEmbedding(32)
    tau.mlp.register_forward_pre_hook(lambda _, args: before_mlp.append(args[0]))
    tau(torch.arange(1001) / 1000)
    distances = torch.cdist(before_mlp[0], before_mlp[0]) + 10 * torch.eye(1001)
    assert distances.min() > 0.1


@settings(deadline=None, max_examples=20)
@given(middle=st.lists(st.integers(1, 3), max_size=3), condition_size=st.integers(1, 3))
def test_film_acts_alike_along_middle_axes_and_apart_along_the_batch(middle, condition_size):
    film = Film(condition_size, 5).double()
    generator = torch.Generator().manual_seed(0)
    h = torch.randn(4, *middle, 5, generator=generator, dtype=torch.float64)
    c = torch.randn(4, condition_size, generator=generator, dtype=torch.float64)
    out = film(h, c)
    assert out.shape == h.shape
    scale, shift = film.linear(c).chunk(2, dim=-1)
    rows, expected = out.reshape(4, -1, 5), h.reshape(4, -1, 5)
    for member in range(4):
        assert torch.allclose(rows[member], expected[member] * (1 + scale[member]) + shift[member])


@pytest.mark.parametrize("module", [TimeEmbedding(8), Film(3, 5)])
def test_what_is_saved_is_what_is_learned(module):
    assert set(module.state_dict()) == {name for name, _ in module.named_parameters()}
