"""The denoising loss weighed by noise, alike for every prediction, and by orbit; and the matching term."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import REGISTRY, made
from torch import Tensor

from wsframework.config.sections import PartConfig, TrainSection
from wsframework.curriculum import Curriculum
from wsframework.pipeline.identity import Identity
from wsframework.pipeline.single import Run
from wsframework.prior import Prior
from wsframework.randomness import generator
from wsframework.spaces import WeightSpace, orbits
from wsframework.weighing import Weighing, by_orbit

RUN = Run(made({"zoo.size": 6, "tasks.seen": 6, "zoo.epochs": 1}), REGISTRY, Path("nowhere"), "cpu")
GAMMA = 2.0
SNR = TrainSection(steps=1, weighting="min_snr", min_snr_gamma=GAMMA)
PRIORS = {
    (use, predict): Prior(
        replace(RUN.design, scheduler=PartConfig(use), predict=predict), RUN.family.shape, REGISTRY
    )
    for use in ("ddpm", "flow", "edm")
    for predict in ("epsilon", "v", "clean")
    if (use, predict) != ("flow", "epsilon")
}  # fmt: skip


@pytest.mark.parametrize("key", PRIORS, ids="-".join)
@settings(max_examples=20)
@given(seed=st.integers(0, 2**20))
def test_every_prediction_has_the_loss_of_its_clean_estimate(key: tuple[str, str], seed: int) -> None:
    """``min(SNR, gamma) |x_0 - estimate|^2``: the definition of the paper, whatever the denoiser's output means."""
    prior, random = PRIORS[key], torch.Generator().manual_seed(seed)
    t = 0.02 + 0.97 * torch.rand(5, generator=random)
    x_0, noise, output = torch.randn(3, 5, prior.latent.size, generator=random).double()
    alpha, sigma = (value.unsqueeze(-1) for value in prior.scheduler.alpha_sigma(t.double()))
    error = output - prior.target(x_0, noise, t.double())
    estimate = prior.clean(output, prior.mix(x_0, noise, t.double()), t.double())
    wanted = ((alpha / sigma).square().clamp(max=GAMMA) * (estimate - x_0).square()).mean()
    torch.testing.assert_close(Weighing(prior, SNR).loss(error, t.double()), wanted, rtol=1e-5, atol=1e-9)


def test_of_noise_and_velocity_the_weights_are_those_of_the_paper() -> None:
    t = torch.linspace(0.1, 1, 40)
    alpha, sigma = PRIORS["ddpm", "v"].scheduler.alpha_sigma(t)
    snr = (alpha / sigma).square()
    for predict, over in (("epsilon", snr), ("v", snr + 1), ("clean", torch.ones_like(snr))):
        found = Weighing(PRIORS["ddpm", predict], SNR).min_snr(t)
        torch.testing.assert_close(found, snr.clamp(max=GAMMA) / over, rtol=1e-4, atol=1e-7)
    assert (Weighing(PRIORS["ddpm", "epsilon"], SNR).min_snr(t) <= 1).all()


def test_every_orbit_counts_alike() -> None:
    space = WeightSpace.parse("free hidden=8\nfixed in=2 out=3\nw hidden in\nb hidden\nc out")
    weights, index = by_orbit(space), orbits(space).index
    shares = torch.zeros(int(index.max()) + 1).index_add(0, index, weights)
    torch.testing.assert_close(shares, torch.full_like(shares, space.size / len(shares)))
    assert len(set(weights.tolist())) == 2  # orbits of eight, and of one
    prior = PRIORS["ddpm", "v"]
    error, t = torch.randn(3, prior.latent.size), torch.full((3,), 0.5)
    each = error.square().mean(0)
    index = orbits(prior.latent).index
    means = torch.stack([each[index == k].mean() for k in range(int(index.max()) + 1)])
    found = Weighing(prior, TrainSection(steps=1, average="orbits")).loss(error, t)
    torch.testing.assert_close(found, means.mean())


def curriculum(prior: Prior, **train: object) -> Curriculum:
    prior.fit_features(prior.raw_features(RUN.splits.seen))
    prior.encoder.fit(RUN.zoo.weights.x, prior.space)
    section = replace(RUN.config.train, **train)  # type: ignore[arg-type]
    return Curriculum(prior, RUN.zoo, prior.describe(RUN.splits.seen), section, generator(0, "weighing"))


class Knows(torch.nn.Module):
    """Says, as a clean estimate, a network that computes the same as the first of the zoo, with neurons exchanged."""

    def __init__(self, answer: Tensor) -> None:
        super().__init__()
        self.answer = answer

    def forward(self, x_t: Tensor, *_: object) -> Tensor:
        return self.answer.expand_as(x_t)


@pytest.fixture(scope="module", autouse=True)
def zoo(tmp_path_factory: pytest.TempPathFactory) -> None:
    RUN.store.folder = tmp_path_factory.mktemp("zoo")


def test_the_matching_term_is_of_functions_not_of_weights() -> None:
    prior = Prior(replace(RUN.design, predict="clean"), RUN.family.shape, REGISTRY)
    learnt = curriculum(prior, matching_weight=1.0)
    learnt._draw = lambda size, count: torch.zeros(count, dtype=torch.long)  # type: ignore[method-assign]
    moved = prior.space.random_symmetry(generator(3)).act(RUN.zoo.weights.x[:1])
    assert not torch.equal(moved, RUN.zoo.weights.x[:1])
    prior.denoiser = Knows(prior.encoder.encode(moved, prior.space))  # type: ignore[assignment]
    denoising, _, matching = learnt.losses()
    assert float(denoising) > 0.1
    assert float(matching) < 1e-9
    prior.denoiser = Knows(prior.encoder.encode(RUN.zoo.weights.x[1:2], prior.space))  # type: ignore[assignment]
    assert float(learnt.losses()[2]) > 1e-4


def test_what_came_later_leaves_fingerprints_as_they_were() -> None:
    def prior(**changes: object) -> str:
        return Identity(made({f"train.{key}": value for key, value in changes.items()}), REGISTRY, "cpu", False).prior

    plain = prior()
    assert plain == prior(weighting="none", average="coordinates", matching_weight=0.0, min_snr_gamma=5.0)
    others = ({"weighting": "min_snr"}, {"average": "orbits"}, {"matching_weight": 0.1})
    assert len({plain, *(prior(**other) for other in others)}) == 4
