"""`pca`: nothing is lost within its rank, latents are white, and aligned networks have one latent."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import REGISTRY
from torch import Tensor
from wsf_flat import components
from wsf_flat.components import PrincipalComponents

from wsframework.alignment import augment
from wsframework.config.building import build
from wsframework.config.sections import PartConfig
from wsframework.errors import PartError
from wsframework.parts.interfaces import WeightEncoder
from wsframework.prior import check_symmetry
from wsframework.spaces import Weights, WeightSpace
from wsframework.testing.strategies import mlp_space

SPACE = mlp_space((2, 6, 2), gauge="scale")
CANONICAL = PartConfig("canonical", {"neurons": "order", "inner": {"use": "pca", "components": 7}})


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def of_rank(rank: int, networks: int, seed: int, space: WeightSpace = SPACE) -> Tensor:
    """A zoo that varies along ``rank`` directions, each more strongly than the next."""
    strengths = 2.0 ** -torch.arange(rank, dtype=torch.float64)
    return drawn(space.size, seed=seed) + (drawn(networks, rank, seed=seed + 1) * strengths) @ drawn(
        rank, space.size, seed=seed + 2
    )


def fitted(x: Tensor, space: WeightSpace = SPACE, **options: object) -> PrincipalComponents:
    encoder = PrincipalComponents(space, **options).double()  # type: ignore[arg-type]
    encoder.fit(x, space)
    return encoder


@settings(max_examples=15)
@given(rank=st.integers(1, 6), further=st.integers(0, 20), seed=st.integers(0, 2**16))
def test_within_its_rank_nothing_is_lost(rank: int, further: int, seed: int) -> None:
    x = of_rank(rank, 3 * rank + 2, seed)
    encoder = fitted(x, components=rank + further)
    torch.testing.assert_close(encoder.decode(encoder.encode(x, SPACE), SPACE), x)
    z = drawn(4, encoder.number, seed=seed)
    torch.testing.assert_close(encoder.encode(encoder.decode(z, SPACE), SPACE), z)  # the axes are orthonormal


def test_below_its_rank_the_loss_is_what_the_other_directions_hold() -> None:
    x = of_rank(6, 40, 0)
    strengths = torch.linalg.svdvals(x - x.mean(0))
    for kept in range(1, 6):
        encoder = fitted(x, components=kept)
        lost = (encoder.decode(encoder.encode(x, SPACE), SPACE) - x).square().sum()
        torch.testing.assert_close(lost, strengths[kept:].square().sum())


@pytest.mark.parametrize("whiten", [True, False])
def test_latents_are_uncorrelated_and_white_if_asked_for(whiten: bool) -> None:
    x = of_rank(5, 50, 3)
    z = fitted(x, components=5, whiten=whiten).encode(x, SPACE)
    covariance = z.T @ z / len(z)
    variances = torch.linalg.svdvals(x - x.mean(0))[:5].square() / len(x)
    wanted = torch.eye(5).double() if whiten else torch.diag(variances)
    torch.testing.assert_close(covariance, wanted, atol=1e-9, rtol=1e-9)


def test_a_large_zoo_is_decomposed_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    space = mlp_space((4, 12, 4))
    x = of_rank(4, 60, 1, space)
    exact = fitted(x, space, components=4)
    monkeypatch.setattr(components, "EXACT", 1)
    state = torch.get_rng_state()
    projected = fitted(x, space, components=4)
    assert torch.equal(torch.get_rng_state(), state)
    torch.testing.assert_close(projected.encode(x, space), exact.encode(x, space))


def test_what_rounding_alone_varies_is_left_unscaled() -> None:
    x = (1 + drawn(1, SPACE.size)).float().repeat(7, 1)
    encoder = PrincipalComponents(SPACE, components=5)
    encoder.fit(x, SPACE)
    assert torch.equal(encoder.std, torch.ones(5))


def test_within_a_canonical_form_all_that_symmetries_make_of_a_network_have_one_latent() -> None:
    encoder: WeightEncoder = build(REGISTRY, "encoder", CANONICAL, SPACE).double()
    x = drawn(20, SPACE.size)
    encoder.fit(x, SPACE)
    moved = augment(Weights(SPACE, x), torch.Generator().manual_seed(5)).x
    assert (moved - x).norm() > 0.1 * x.norm()
    torch.testing.assert_close(encoder.encode(moved, SPACE), encoder.encode(x, SPACE))
    alone = fitted(x, components=7)
    assert (alone.encode(moved, SPACE) - alone.encode(x, SPACE)).norm() > 0.1 * alone.encode(x, SPACE).norm()
    assert not encoder.lossless


def test_an_equivariant_denoiser_is_refused() -> None:
    encoder = build(REGISTRY, "encoder", CANONICAL, SPACE)
    latent = encoder.latent(SPACE)
    assert (latent.size, dict(latent.free)) == (7, {})
    denoiser = build(REGISTRY, "denoiser", PartConfig("deepsets"), SPACE, 0)
    with pytest.raises(PartError, match="no free dim"):
        check_symmetry(denoiser, encoder, latent)
