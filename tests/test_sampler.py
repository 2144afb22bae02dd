"""Another scheduler samples: the table inherits, the trained prior stays, and what can't be is told before any work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from tiny import REGISTRY, TABLES, made

from wsframework.config.ablation import ablations
from wsframework.config.resolving import resolve
from wsframework.config.sections import PartConfig
from wsframework.config.writing import to_tables
from wsframework.pipeline.identity import Identity
from wsframework.pipeline.single import Run
from wsframework.pipeline.trial import mistakes_of
from wsframework.prior import Prior
from wsframework.prior_config import Design
from wsframework.randomness import generator

QUICK = {"sample.scheduler.use": "dpm_solver", "sample.steps": 4}


LINEAR = {"scheduler.schedule": "linear", "scheduler.beta_end": 0.5, "sample.scheduler.use": "ddim"}
HEUN = {"scheduler.use": "flow", "sample.scheduler.solver": "heun"}
WANTED = {
    "the noise": (QUICK, PartConfig("dpm_solver", {"steps": 10, "schedule": "cosine"})),
    "every option of it": (
        LINEAR,
        PartConfig("ddim", {"steps": 10, "schedule": "linear", "beta_end": 0.5, "eta": 0.0}),
    ),
    "the same, solved otherwise": (HEUN, PartConfig("flow", {"steps": 50, "solver": "heun"})),
    "none": ({}, None),
}


@pytest.mark.parametrize(("changes", "wanted"), WANTED.values(), ids=WANTED)
def test_what_is_not_said_is_as_in_training(changes: dict[str, Any], wanted: PartConfig | None) -> None:
    config = made(changes)
    assert config.sample.scheduler == wanted
    assert resolve(to_tables(config), REGISTRY) == (config, [])
    assert mistakes_of(config, REGISTRY) == []


FALLING = {**QUICK, "scheduler.beta_start": 0.1, "sample.scheduler.beta_end": 1e-9}
CASES = {
    "another noise": ({"sample.scheduler.use": "flow"}, "[sample] scheduler 'flow' can't sample for this prior, which"),
    "other levels": ({**QUICK, "sample.scheduler.steps": 20}, "[sample] scheduler 'dpm_solver' can't sample for"),
    "an option": (FALLING, "[sample] dpm_solver: beta_start = 0.1 is larger than beta_end"),
    "nothing but noise": ({"scheduler.use": "flow", "train.predict": "epsilon"}, "[train] predict = 'epsilon' tells"),
}


@pytest.mark.parametrize(("changes", "sentence"), CASES.values(), ids=CASES)
def test_what_can_not_sample_has_its_sentence(changes: dict[str, Any], sentence: str) -> None:
    (mistake,) = mistakes_of(made(changes), REGISTRY)
    assert mistake.startswith(sentence)


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({"use": "dpm"}, "sample.scheduler.use = 'dpm': there is no scheduler 'dpm'; did you mean 'ddpm'?"),
        ({"use": "ddim", "etta": 1}, "sample.scheduler.etta = 1: scheduler 'ddim' has no option 'etta'"),
        ("ddim", "sample.scheduler = 'ddim': should be a table, [sample.scheduler] with keys below it"),
    ],
)
def test_mistakes_in_the_table_are_told(table: Any, sentence: str) -> None:
    _, mistakes = resolve({**TABLES, "sample": {"scheduler": table}}, REGISTRY)
    assert mistakes[0].startswith(sentence)


def test_the_samplers_of_one_prior_can_be_ablated() -> None:
    data = {**TABLES, "ablate": {"sample": {"scheduler": {"use": ["ddim", "dpm_solver"]}}}}
    found, mistakes = ablations(data, lambda other: resolve({**other, "ablate": {}}, REGISTRY)[1], [])
    assert (found, mistakes) == ({"sample.scheduler.use": ("ddim", "dpm_solver")}, [])


def test_training_does_not_depend_on_who_samples() -> None:
    plain, quick, otherwise = (
        Identity(made(changes), REGISTRY, "cpu", False)
        for changes in ({}, QUICK, {**QUICK, "sample.scheduler.use": "ddim"})
    )
    assert plain.prior == quick.prior == otherwise.prior
    assert len({one.initial("prior") for one in (plain, quick, otherwise)}) == 3
    assert Identity(made({"sample.steps": 4}), REGISTRY, "cpu", False).prior != plain.prior


def test_a_design_that_samples_as_it_trains_is_written_and_named_as_before() -> None:
    config = made({})
    assert "scheduler" not in to_tables(config)["sample"]
    assert Design(*[PartConfig("x")] * 5).parts.keys() == {"network", "encoder", "conditioner", "scheduler", "denoiser"}


def test_a_finished_run_draws_again_and_does_not_train_again(tmp_path: Path) -> None:
    told: list[Any] = []
    changes = {"zoo.size": 4, "tasks.seen": 4, "zoo.epochs": 1, "train.steps": 2}
    for more in ({}, QUICK, {}):
        run = Run(made({**changes, **more}), REGISTRY, tmp_path, "cpu", told.append)
        prior, task = run.prior, run.judged[0]
        assert prior.design == run.design
        assert Prior.load(tmp_path / "prior").design == prior.design
        assert len(prior.sampler.times(prior.design.steps or None)) == (5 if more else 11)
    reused = [event.reused for event in told if getattr(event, "stage", "") == "prior" and hasattr(event, "reused")]
    assert reused == [False, True, True]
    quick = prior.with_scheduler("dpm_solver", steps=4)
    assert not torch.equal(quick.sample(task, 2, generator(0)).x, prior.sample(task, 2, generator(0)).x)
