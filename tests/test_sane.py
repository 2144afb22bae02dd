"""`sane`: training lowers every term of its loss, and changes no more than it should."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import REGISTRY, tiny
from torch import Tensor
from wsf_flat.contrast import contrastive_loss, output_loss
from wsf_flat.sane import Sane

import wsframework as wsf
from wsframework.errors import PartError
from wsframework.pipeline.single import Run
from wsframework.testing.strategies import mlp_space

SPACE = mlp_space((3, 6, 2))
SMALL = {"width": 8, "blocks": 1, "heads": 2, "batch": 8}


def zoo(networks: int = 24, space: wsf.WeightSpace = SPACE) -> Tensor:
    """Networks along a few directions."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(networks, 3, generator=generator) @ torch.randn(3, space.size, generator=generator)


def fitted(steps: int, x: Tensor | None = None, answers: object = None, **options: object) -> Sane:
    encoder = Sane(SPACE, **{**SMALL, "steps": steps, **options})  # type: ignore[arg-type]
    x = zoo() if x is None else x
    encoder.fit(x, SPACE) if answers is None else encoder.fit_to(x, SPACE, answers)  # type: ignore[arg-type]
    return encoder


def error(encoder: Sane, x: Tensor) -> float:
    return float((encoder.decode(encoder.encode(x, SPACE), SPACE) - x).square().mean().sqrt())


def test_training_gives_networks_back_better() -> None:
    few, many = (fitted(steps, channels=2, augment="none", lr=0.01) for steps in (1, 150))
    assert error(many, zoo()) < 0.8 * error(few, zoo())


def test_with_as_many_channels_as_entries_it_starts_with_next_to_no_loss() -> None:
    x = zoo()
    assert error(fitted(1, channels=32), x) < 0.05 * float((x - x.mean(0)).square().mean().sqrt())


def test_latents_are_standardised_and_have_two_fixed_dims() -> None:
    encoder, x = fitted(3), zoo()
    z = encoder.encode(x, SPACE)
    assert encoder.latent(SPACE).shapes["latent"] == (encoder.tokens, 8)
    torch.testing.assert_close(z.mean(0), torch.zeros(z.shape[1]), atol=1e-3, rtol=0)
    torch.testing.assert_close(z.std(0, correction=0), torch.ones(z.shape[1]), atol=1e-2, rtol=0)


def test_answers_are_learned_from_and_differ_from_weights() -> None:
    """Answers that see one weight alone: with them, that weight comes back better."""
    x = zoo()
    place = 5

    def off(encoder: Sane) -> float:
        again = encoder.decode(encoder.encode(x, SPACE), SPACE)
        return float((again - x)[:, place].square().mean())

    options = {"channels": 1, "augment": "none", "lr": 0.01, "output": 30.0}
    without = fitted(80, x, **options)
    told = fitted(80, x, lambda w: w[:, place, None], **options)
    ignored = fitted(80, x, lambda w: w[:, place, None], **{**options, "output": 0.0})
    assert off(told) < 0.5 * off(without)
    assert off(ignored) == off(without)


def test_no_parameter_asks_for_a_gradient_afterwards() -> None:
    encoder = fitted(2)
    assert not any(parameter.requires_grad for parameter in encoder.parameters())


def test_another_seed_learns_otherwise() -> None:
    one, again, other = (fitted(2, seed=seed).encode(zoo(), SPACE) for seed in (0, 0, 1))
    assert torch.equal(one, again)
    assert not torch.allclose(one, other)


def test_heads_that_do_not_share_the_width_are_refused() -> None:
    with pytest.raises(PartError, match="heads = 3 do not share width = 8"):
        Sane(SPACE, width=8, heads=3)


@settings(max_examples=20)
@given(st.integers(2, 6), st.integers(0, 2**16))
def test_views_of_one_network_are_told_from_others(networks: int, seed: int) -> None:
    """The loss is at most that of a guess where views coincide, and larger where they are exchanged."""
    features = torch.randn(networks, 8, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    known, exchanged = contrastive_loss(features, features), contrastive_loss(features, features.roll(1, 0))
    assert known < exchanged
    assert known <= math.log(2 * networks - 1) + 1e-9
    torch.testing.assert_close(contrastive_loss(3 * features, features), known)


def test_equal_features_are_a_guess() -> None:
    same = torch.ones(4, 3, dtype=torch.float64)
    torch.testing.assert_close(contrastive_loss(same, same), torch.tensor(math.log(7), dtype=torch.float64))


def test_answers_are_judged_in_units_of_their_spread() -> None:
    wanted = torch.randn(5, 4, generator=torch.Generator().manual_seed(1))
    found = wanted + 0.1
    torch.testing.assert_close(output_loss(10 * found, 10 * wanted), output_loss(found, wanted))
    torch.testing.assert_close(output_loss(wanted.mean().expand_as(wanted), wanted), torch.tensor(1.0))


def test_a_run_tells_encoders_what_networks_compute(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within a canonical form, too, which moves networks without changing their answers."""
    changes = {"use": "canonical", "inner": {"use": "sane", **SMALL, "steps": 2}}
    run = Run(
        tiny(encoder=changes, denoiser={"use": "mlp_unet", "width": 8}, train__steps=1), REGISTRY, tmp_path, "cpu"
    )
    heard: list[tuple[Tensor, Tensor]] = []
    fit_to = Sane.fit_to
    monkeypatch.setattr(
        Sane, "fit_to", lambda self, x, space, answers: (heard.append((x, answers(x))), fit_to(self, x, space, answers))
    )
    prior = run.prior
    (x, answers) = heard[0]
    assert answers.shape[:1] + answers.shape[2:] == (len(x), 2)
    assert 0 < answers.shape[1] <= 64
    assert answers.isfinite().all()
    assert not any(parameter.requires_grad for parameter in prior.encoder.parameters())
