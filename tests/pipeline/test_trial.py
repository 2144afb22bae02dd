"""Parts that don't fit each other or the tasks are told of before any work, all together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from tiny import REGISTRY, files, made, tiny

from wsframework.config.reading import read_config
from wsframework.errors import ConfigError
from wsframework.pipeline.ablate import ablate
from wsframework.pipeline.run import run
from wsframework.pipeline.trial import mistakes_of

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.toml"))
CASES: dict[str, tuple[dict[str, Any], str]] = {
    "no code": ({"conditioner.use": "code"}, "[conditioner] conditioner 'code' was asked for, but these tasks have no"),
    "heads": ({"denoiser.heads": 3}, "[denoiser] deepsets: heads = 3 do not share width = 16 evenly"),
    "no sets": (
        {"denoiser.use": "mlp_unet", "denoiser.equivariant_modules": True},
        "[denoiser] mlp_unet: equivariant_modules = true asks for layers of identical role and shape",
    ),
    "betas": (
        {"scheduler.beta_start": 0.5, "scheduler.beta_end": 0.1},
        "[scheduler] ddpm: beta_start = 0.5 is larger than beta_end = 0.1",
    ),
    "tasks": ({"tasks.modes": 2}, "[tasks] gaussians: modes = 2 needs arrangement = 'scattered'"),
    "interval": ({"tasks.spread": [2, 1]}, "[tasks] gaussians: spread = [2.0, 1.0] is no interval"),
}


@pytest.mark.parametrize(("changes", "sentence"), CASES.values(), ids=CASES)
def test_a_part_that_does_not_fit_has_its_sentence(changes: dict[str, Any], sentence: str) -> None:
    (mistake,) = mistakes_of(made(changes), REGISTRY)
    assert mistake.startswith(sentence)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_parts_of_an_example_fit_each_other(path: Path) -> None:
    assert mistakes_of(read_config(path, REGISTRY), REGISTRY) == []


def test_a_sound_config_has_no_mistakes_and_leaves_the_generator_alone(tmp_path: Path) -> None:
    assert mistakes_of(tiny(compare__initializers=tuple(REGISTRY.parts("initializer"))), REGISTRY) == []
    before = torch.get_rng_state()
    with pytest.raises(ConfigError):
        run(tiny(denoiser__heads=3), REGISTRY, tmp_path, "cpu")
    assert torch.equal(torch.get_rng_state(), before)


def test_all_are_told_together_before_any_work(tmp_path: Path) -> None:
    config = made({"conditioner.use": "code", "scheduler.beta_start": 0.5, "scheduler.beta_end": 0.1})
    with pytest.raises(ConfigError) as caught:
        run(config, REGISTRY, tmp_path / "run", "cpu")
    assert [mistake.split(" ")[0] for mistake in caught.value.mistakes] == ["[scheduler]", "[conditioner]"]
    assert caught.value.exit_code == 2
    assert not (tmp_path / "run").exists()


def test_an_ablation_says_whose_mistake_it_is(tmp_path: Path) -> None:
    config = made(
        {
            "scheduler.beta_start": 0.5,
            "scheduler.beta_end": 0.1,
            "compare.initializers": ["random", "prior"],
            "ablate": {"model": {"good": {"denoiser.heads": 4}, "odd": {"denoiser.heads": 3}}},
        }
    )
    with pytest.raises(ConfigError) as caught:
        ablate(config, REGISTRY, tmp_path, "cpu")
    shared, own = caught.value.mistakes
    assert shared.startswith("[scheduler]")
    assert own.startswith("variant 'odd': [denoiser] deepsets: heads = 3")
    assert files(tmp_path) == set()
