"""Training a prior of parts that draw from torch's own generator and keep statistics: seeded, resumed, averaged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny import tiny
from torch import Tensor, nn

from wsframework.config.sections import PartConfig
from wsframework.parts.entrypoints import load_registry
from wsframework.parts.interfaces import Denoiser, Initializer
from wsframework.pipeline import train
from wsframework.pipeline.single import Run
from wsframework.pipeline.stage import Checkpoint
from wsframework.pipeline.train import train_prior
from wsframework.prior import Prior


class Drawing(Denoiser):
    """Drops features at random, and keeps a running mean of them."""

    name = "drawing"

    def __init__(self, space, condition_size) -> None:
        super().__init__()
        layers = nn.Linear(space.size, 16), nn.BatchNorm1d(16), nn.Dropout(0.5), nn.Linear(16, space.size)
        self.layers = nn.Sequential(*layers)

    def forward(self, x_t, t, condition, space):
        return self.layers(x_t)


class Twice(Initializer):
    """Trains two priors, one after the other."""

    name = "twice"

    def __init__(self) -> None:
        self.priors: list[Prior] = []

    def fit(self, setting) -> None:
        self.priors = [setting.train_prior({"lr": lr}, {}) for lr in (0.01, 0.002)]
        again = setting.train_prior({"lr": 0.01}, {})
        assert same(again, self.priors[0])

    def weights(self, tasks, draws, generator):
        return torch.stack([p.sample(tasks[0], draws, generator).x for p in self.priors])


REGISTRY = load_registry()
REGISTRY.add_all([Drawing, Twice], "drawing")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Run:
    config = replace(tiny(train__steps=20), denoiser=PartConfig("drawing"))
    return Run(config, REGISTRY, tmp_path_factory.mktemp("run"), "cpu")


def trained(whole: Run, checkpoint: Checkpoint | None = None, **changes: Any) -> Prior:
    section = replace(whole.config.train, **changes)
    return train_prior(whole.design, REGISTRY, whole.zoo, section, 0, checkpoint=checkpoint)


def state(prior: Prior) -> dict[str, Tensor]:
    return dict(prior.state_dict())


def same(a: Prior, b: Prior) -> bool:
    return all(torch.equal(value, state(b)[name]) for name, value in state(a).items())


def test_one_seed_gives_one_prior_and_leaves_the_global_generator_alone(whole: Run) -> None:
    torch.manual_seed(1)
    first = trained(whole)
    torch.manual_seed(2)
    before = torch.get_rng_state()
    assert same(first, trained(whole))
    assert torch.equal(torch.get_rng_state(), before)


def test_a_stop_in_the_middle_changes_nothing(whole: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "EVERY", 8)
    through = trained(whole)
    checkpoint = Checkpoint(tmp_path / "kept", "it")
    trained(whole, checkpoint)
    kept = checkpoint.load()
    assert kept is not None
    assert int(kept[0]["step"]) == 16
    assert same(trained(whole, checkpoint), through)


def test_statistics_are_those_that_were_trained(whole: Run) -> None:
    averaged = trained(whole, ema=0.9).denoiser
    assert isinstance(averaged, Drawing)
    statistics = averaged.layers[1]
    assert isinstance(statistics, nn.BatchNorm1d)
    assert int(statistics.num_batches_tracked or 0) == 20
    assert statistics.running_mean is not None
    assert statistics.running_mean.abs().sum() > 0


def test_two_trainings_of_one_initializer_do_not_share_a_checkpoint(
    whole: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train, "EVERY", 8)
    compare = replace(whole.config.compare, initializers=("twice",), best_of=(), options={"twice": {}})
    run = Run(replace(whole.config, compare=compare), REGISTRY, tmp_path, "cpu", zoo_folder=whole.out / "zoo")
    found: list[Prior] = []
    fit = Twice.fit
    monkeypatch.setattr(Twice, "fit", lambda self, setting: (fit(self, setting), found.extend(self.priors)))
    monkeypatch.setattr(Run, "judged", whole.judged[:2])
    run.initial("twice")
    section = whole.config.train
    alone = [
        train_prior(run.design, REGISTRY, run.zoo, replace(section, lr=lr), 0, name="twice") for lr in (0.01, 0.002)
    ]
    assert [same(a, b) for a, b in zip(found, alone, strict=True)] == [True, True]
    assert not list(tmp_path.glob("checkpoints/*"))
