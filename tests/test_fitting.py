"""Training a prior: losses fall, every option does what it says, and a stop in the middle changes nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from tiny import PAIRS, QUICK, REGISTRY, made
from torch import Tensor

from wsframework.config.sections import PartConfig
from wsframework.curriculum import Curriculum
from wsframework.fitting import Fitting
from wsframework.pipeline.single import Run
from wsframework.prior import Prior
from wsframework.randomness import generator
from wsframework.spaces import Weights, WeightSpace
from wsframework.tasks import TaskBatch
from wsframework.training import network_losses
from wsframework.zoo import Zoo

STEPS = 12
WEIGHT = {"output_weight": 1.0}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Run:
    config = made({"zoo.size": 16, "tasks.seen": 16, "zoo.epochs": 20})
    return Run(config, REGISTRY, tmp_path_factory.mktemp("run"), "cpu")


def begun(whole: Run, zoo: Zoo | None = None, design: dict[str, Any] | None = None, **train: Any) -> Fitting:
    """The training of a new prior, before its first step."""
    zoo = zoo or whole.zoo
    torch.manual_seed(0)
    prior = Prior(replace(whole.design, **(design or {})), whole.family.shape, REGISTRY)
    raw = prior.raw_features(zoo.tasks)
    prior.fit_features(raw)
    prior.encoder.fit(zoo.weights.x, prior.space)
    section = replace(whole.config.train, **{"steps": STEPS, "decay": False, **train})
    random = generator(0, "fitting")
    return Fitting(prior, Curriculum(prior, zoo, prior.standardise(raw), section, random), section, random)


def state(prior: Prior) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in prior.state_dict().items()}


def assert_same(a: dict[str, Tensor], b: dict[str, Tensor]) -> None:
    assert set(a) == set(b)
    different = [name for name in a if not torch.equal(a[name], b[name])]
    assert not different


def task_loss(prior: Prior, zoo: Zoo, draws: int = 16) -> float:
    """Mean support loss of networks drawn for the first task."""
    features = prior.describe(zoo.tasks[:1]).expand(draws, -1)
    x = prior.sample_features(features, generator(0, "draws"))
    tasks = TaskBatch.of([zoo.tasks[0]] * draws)
    return float(network_losses(prior.architecture, prior.shape, prior.space, x, tasks.support, tasks.objective).mean())


@pytest.mark.parametrize("predict", ["epsilon", "v", "clean"])
def test_the_denoising_loss_falls(whole: Run, predict: str) -> None:
    fitting = begun(whole, design={"predict": predict}, steps=200, batch=32)
    losses = [lesson.denoise_loss for lesson in fitting.steps()]
    assert len(losses) == 200
    first, last = sum(losses[:20]) / 20, sum(losses[-20:]) / 20
    assert last < 0.8 * first, (first, last)


@pytest.mark.parametrize(
    "train",
    [
        {},
        {"ema": 0.0},
        {"augment": True, "decay": True},
        {"epochs": 4, "batch": 6},
        {**WEIGHT, "unroll": 3},
        {**WEIGHT, "denoise_weight": 0.0, "unroll": 1},
        {"matching_weight": 1.0, "weighting": "min_snr", "average": "orbits"},
    ],
    ids=["plain", "no average", "augmented", "passes", "output term", "output term alone", "matching term"],
)
def test_a_stop_in_the_middle_changes_nothing(whole: Run, train: dict[str, Any]) -> None:
    through = begun(whole, **train)
    lessons = list(through.steps())
    stopped = begun(whole, **train)
    steps = stopped.steps()
    early = [next(steps) for _ in range(5)]
    kept = stopped.state()
    torch.manual_seed(7)
    again = begun(whole, **train)
    again.generator.manual_seed(99)
    again.resume(kept)
    assert early + list(again.steps()) == lessons
    assert_same(state(again.prior), state(through.prior))


def test_a_state_is_a_copy(whole: Run) -> None:
    fitting = begun(whole)
    steps = fitting.steps()
    next(steps)
    kept = fitting.state()
    before = {name: value.clone() for name, value in kept.items()}
    list(steps)
    assert_same(kept, before)


def test_the_average_stays_behind(whole: Run) -> None:
    plain, averaged = begun(whole, ema=0.0), begun(whole, ema=0.9)
    list(plain.steps())
    *_, lesson = averaged.steps()
    assert lesson.step == STEPS
    assert not torch.equal(*(next(f.prior.denoiser.parameters()) for f in (plain, averaged)))
    assert not averaged.prior.training
    assert_same(state(averaged.prior), state(averaged.averaged))


def test_without_an_average_the_last_weights_sample(whole: Run) -> None:
    fitting = begun(whole, ema=0.0)
    steps = fitting.steps()
    for _ in range(STEPS):
        next(steps)
    last = state(fitting.prior)
    assert list(steps) == []
    assert_same(state(fitting.prior), last)


@pytest.mark.parametrize("train", [{}, {"unroll": 1}, {"unroll": 4}, {"unroll": 4, "denoise_weight": 0.0}])
@pytest.mark.parametrize("encoder", sorted({encoder for encoder, denoiser in PAIRS if denoiser == "deepsets"}))
def test_the_output_term_reaches_the_whole_denoiser(whole: Run, encoder: str, train: dict[str, Any]) -> None:
    fitting = begun(
        whole, design={"encoder": replace(whole.config.encoder, use=encoder, options={})}, **WEIGHT, **train
    )
    list(fitting.steps())  # the denoiser's last layer begins at zero, and hides the others
    prior = fitting.prior.train()
    _, output_loss, _ = fitting.curriculum.losses()
    assert output_loss > 0
    output_loss.backward()
    for name, parameter in [*prior.denoiser.named_parameters(), *prior.conditioner.named_parameters()]:
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert name == "depth.weight" or parameter.grad.abs().sum() > 0, name  # one layer of neurons has depth 0


def test_terms_that_are_off_cost_nothing(whole: Run) -> None:
    assert all(lesson.output_loss == 0 < lesson.denoise_loss for lesson in begun(whole).steps())
    alone = begun(whole, **WEIGHT, denoise_weight=0.0, unroll=1)
    assert all(lesson.denoise_loss == lesson.matching_loss == 0 < lesson.output_loss for lesson in alone.steps())
    matched = begun(whole, matching_weight=1.0)
    assert all(lesson.output_loss == 0 < lesson.matching_loss < lesson.loss for lesson in matched.steps())


@pytest.mark.parametrize(("encoder", "denoiser"), PAIRS)
def test_augmented_training_works_with_every_pair(whole: Run, encoder: str, denoiser: str) -> None:
    parts = {"encoder": encoder, "denoiser": denoiser}
    design = {kind: PartConfig(use, QUICK.get(use, {})) for kind, use in parts.items()}
    fitting = begun(whole, design=design, augment=True)
    before = state(fitting.prior)
    losses = [lesson.denoise_loss for lesson in fitting.steps()]
    assert torch.tensor(losses).isfinite().all()
    changed = [name for name, value in state(fitting.prior).items() if not torch.equal(value, before[name])]
    assert any(name.startswith("denoiser.") for name in changed)


def test_augmentation_shows_other_networks(whole: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The denoiser learns from networks that are the zoo's own up to their neurons' order and signs, and not these."""
    fitting = begun(whole, augment=True, batch=16)
    seen: list[Tensor] = []
    encode = fitting.prior.encoder.encode
    monkeypatch.setattr(fitting.prior.encoder, "encode", lambda x, space: (seen.append(x), encode(x, space))[1])
    next(fitting.steps())
    zoo = whole.zoo.weights.x
    assert not any((zoo == row).all(1).any() for row in seen[0])
    nearest = torch.cdist(seen[0].sort(1).values, zoo.sort(1).values).amin(1)
    assert nearest.max() < 1e-5


def seen_in(fitting: Fitting, monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """The networks that each step of training learns from, told by their weights."""
    seen: list[list[int]] = []
    encode = fitting.prior.encoder.encode

    def noted(x: Tensor, space: WeightSpace) -> Tensor:
        seen.append([int((fitting.curriculum.networks.x == row).all(1).nonzero()[0]) for row in x])
        return encode(x, space)

    monkeypatch.setattr(fitting.prior.encoder, "encode", noted)
    list(fitting.steps())
    return seen


def test_an_epoch_is_a_pass_over_the_zoo(whole: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = seen_in(begun(whole, epochs=4, batch=6), monkeypatch)
    assert [len(minibatch) for minibatch in seen] == [6, 6, 4] * 4
    passes = [[i for minibatch in seen[at : at + 3] for i in minibatch] for at in range(0, 12, 3)]
    assert all(sorted(networks) == list(range(16)) for networks in passes)
    assert passes[0] != passes[1]


def test_steps_are_drawn_with_replacement(whole: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = seen_in(begun(whole, batch=16), monkeypatch)
    assert all(len(minibatch) == 16 for minibatch in seen)
    assert any(len(set(minibatch)) < 16 for minibatch in seen)


def test_the_gradient_is_clipped_where_that_is_asked_for(whole: Run) -> None:
    def norm(clip: float) -> float:
        fitting = begun(whole, clip=clip)
        next(fitting.steps())
        return float(torch.stack([p.grad.norm() for p in fitting.prior.parameters() if p.grad is not None]).norm())

    free = norm(0.0)
    assert norm(free / 2) == pytest.approx(free / 2, rel=1e-4)
    assert norm(2 * free) == pytest.approx(free)


def test_the_rate_falls_to_zero_where_it_decays(whole: Run) -> None:
    fitting = begun(whole, decay=True)
    rates = [fitting.optimizer.param_groups[0]["lr"] for _ in fitting.steps()]
    assert rates[0] == fitting.train.lr
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] < 0.05 * rates[0]


def test_one_network_is_learnt_by_heart(whole: Run) -> None:
    """With one network of one task, draws come to be as good as it, and far better than before."""
    one = Zoo(
        Weights(whole.space, whole.zoo.weights.x[:1]),
        whole.zoo.task_index[:1] * 0,
        whole.zoo.tasks[:1],
        whole.zoo.loss[:1],
    )
    fitting = begun(whole, zoo=one, steps=150, lr=0.01, ema=0.9, **WEIGHT, unroll=2)
    before = task_loss(fitting.prior, one)
    list(fitting.steps())
    after = task_loss(fitting.prior, one)
    assert after < 0.5 * before, (before, after)
