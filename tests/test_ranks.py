"""Several processes train what one would: their shares are the batch, and their gradients add up to its gradient."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tomlkit
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny import REGISTRY, TABLES, made, tiny
from torch import Tensor

from wsframework.curriculum import Curriculum
from wsframework.errors import RequestError
from wsframework.pipeline import together
from wsframework.pipeline.run import run
from wsframework.pipeline.single import Run
from wsframework.prior import Prior
from wsframework.randomness import generator
from wsframework.ranks import ALONE, Ranks
from wsframework.store import load_tensors


@given(st.integers(1, 40), st.integers(1, 9))
def test_shares_are_the_batch(rows: int, count: int) -> None:
    shares = [Ranks(rank, count).share(rows) for rank in range(count)]
    taken = [row for mine, part in shares if part for row in range(rows)[mine]]
    assert taken == list(range(rows))
    assert sum(part for _, part in shares) == pytest.approx(1)
    for mine, part in shares:
        assert len(range(rows)[mine]) >= 1
        assert part in (0, len(range(rows)[mine]) / rows)


def test_one_process_has_all_and_asks_nobody() -> None:
    x = torch.arange(6.0).view(3, 2)
    mine, part = ALONE.share(3)
    assert Ranks.here() == ALONE
    assert torch.equal(x[mine], x)
    assert part == 1
    assert ALONE.whole(x, 3) is x


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(tiny(zoo__size=7, tasks__seen=7, zoo__epochs=1), REGISTRY, tmp_path_factory.mktemp("run"), "cpu")


def learned(whole: Run, ranks: Ranks, **train: Any) -> tuple[list[Tensor], list[Tensor]]:
    """The losses and the gradients of the second batch, as far as they are those of ``ranks``."""
    torch.manual_seed(0)
    prior = Prior(whole.design, whole.family.shape, REGISTRY)
    raw = prior.raw_features(whole.zoo.tasks)
    prior.fit_features(raw)
    prior.encoder.fit(whole.zoo.weights.x, prior.space)
    section = replace(whole.config.train, steps=2, **train)
    curriculum = Curriculum(prior, whole.zoo, prior.standardise(raw), section, generator(0, "ranks"), ranks)
    curriculum.losses()
    losses = curriculum.losses()
    torch.autograd.backward(sum(losses, torch.zeros(())))
    return list(losses), [p.grad for p in prior.parameters() if p.grad is not None]


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize(
    "train", [{"batch": 5}, {"augment": True, "output_weight": 1.0, "matching_weight": 1.0}, {"epochs": 3, "batch": 6}]
)
def test_the_parts_add_up_to_the_gradient(whole: Run, train: dict[str, Any], count: int) -> None:
    one, parts = learned(whole, ALONE, **train), [learned(whole, Ranks(rank, count), **train) for rank in range(count)]
    for whole_loss, *of_parts in zip(one[0], *(part[0] for part in parts), strict=True):
        torch.testing.assert_close(sum(of_parts), whole_loss)
    assert any(gradient.abs().max() > 0.01 for gradient in one[1])
    for expected, *found in zip(one[1], *(part[1] for part in parts), strict=True):
        torch.testing.assert_close(sum(found), expected, rtol=1e-4, atol=1e-6)


def test_fewer_gpus_than_processes_are_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with (
        pytest.raises(RequestError, match="process 1 on this machine finds 1 CUDA devices"),
        together.together(REGISTRY, "cuda"),
    ):
        pass


TOGETHER = {
    "plain": {"train.steps": 12, "repeats": 2},
    "passes, and terms": {
        "train.steps": 0,
        "train.epochs": 3,
        "train.batch": 31,
        "train.augment": True,
        "train.output_weight": 0.5,
        "train.unroll": 2,
    },
}


def started(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Two processes of ``wsf run``."""
    torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "wsframework", "run")
    command, own = [sys.executable, *torchrun, *words], {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=folder, env=own, capture_output=True, text=True, timeout=300)


@pytest.mark.slow
@pytest.mark.parametrize("name", TOGETHER)
def test_two_processes_train_the_prior_of_one(tmp_path: Path, name: str) -> None:
    config = made(TOGETHER[name])
    run(config, REGISTRY, tmp_path / "one", "cpu")
    (tmp_path / "tiny.toml").write_text(tomlkit.dumps(TABLES))
    changes = [word for key, value in TOGETHER[name].items() for word in ("--set", f"{key}={str(value).lower()}")]
    done = started(tmp_path, "tiny.toml", "--out", "two", "--device", "cpu", *changes)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(Path("two") / "report.html")]
    assert done.stderr.count("trained the prior") == config.repeats
    folders = [f"seed-{seed}" for seed in range(config.repeats)] if config.repeats > 1 else ["."]
    for folder in folders:
        one, two = (load_tensors(tmp_path / out / folder / "prior" / "model.safetensors")[0] for out in ("one", "two"))
        for key, value in one.items():
            torch.testing.assert_close(two[key], value, rtol=0, atol=1e-5)


@pytest.mark.slow
def test_a_mistake_is_told_once_and_nobody_waits(tmp_path: Path) -> None:
    done = started(tmp_path, "absent.toml")
    assert done.returncode != 0
    assert done.stderr.count("wsf: absent.toml") == 1
    assert done.stderr.count("Traceback") <= 1  # torchrun's own
