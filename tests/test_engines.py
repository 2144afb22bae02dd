"""Engines: the same zoo bit by bit from one process, from two, from a cluster, and after a process was killed."""

from __future__ import annotations

import os
import pickle
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from tiny import REGISTRY, tiny

from wsframework.config.sections import EngineSection
from wsframework.engines import local as engine
from wsframework.engines.work import Trained, Work
from wsframework.errors import RequestError
from wsframework.pipeline.zoo import build_zoo, load_zoo
from wsframework.zoo_store import ZooStore

CONFIG = tiny(zoo__size=28, zoo__block=6, zoo__epochs=1, zoo__checkpoints=[0])


@dataclass(frozen=True, eq=False)
class Mortal(Work):
    """Work whose process is killed when it begins block 2, each time until the file ``spared`` is there."""

    spared: Path = Path()

    def trained(self, block: int) -> Trained:
        if block == 2 and not self.spared.exists():
            self.spared.parent.mkdir(exist_ok=True)
            self.spared.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().trained(block)


class Doomed(Work):
    """Work that kills whoever does it."""

    def trained(self, block: int) -> Trained:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError


def parts() -> tuple[object, ...]:
    return REGISTRY, CONFIG.tasks, CONFIG.network, CONFIG.zoo, 5


def test_only_the_recipe_is_sent() -> None:
    """Thousands of drawn tasks would be as many open files in each process."""
    work = Work(*parts())
    sent = pickle.dumps(work)
    work.trained(0)
    assert pickle.dumps(work) == sent


def built(folder: Path, work: Work, section: EngineSection) -> torch.Tensor:
    store = ZooStore(folder)
    store.begin(work.architecture.space(work.seen[0].shape), {})
    held = list(build_zoo(store, work, section))
    assert held[0] == 0
    assert held[-1] == 28
    zoo = load_zoo(store, work.seen, work.zoo)
    return torch.cat([zoo.weights.x, zoo.trajectory[0].weights.x])


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> torch.Tensor:
    return built(tmp_path_factory.mktemp("alone"), Work(*parts()), EngineSection(workers=1))


@pytest.mark.slow
def test_a_killed_process_costs_its_block_and_changes_nothing(alone: torch.Tensor, tmp_path: Path) -> None:
    work = Mortal(*parts(), spared=tmp_path / "spared")
    assert torch.equal(built(tmp_path / "zoo", work, EngineSection(workers=2)), alone)
    assert work.spared.exists()


def test_more_processes_where_they_are_worth_it(
    alone: torch.Tensor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pooled = []

    def counted(work: Work, left: list[int], workers: int) -> Iterator[tuple[int, Trained]]:
        pooled.append(workers)
        yield from ((block, work.trained(block)) for block in left)

    monkeypatch.setattr(engine, "_side_by_side", counted)
    assert torch.equal(built(tmp_path / "short", Work(*parts()), EngineSection()), alone)
    assert not pooled
    monkeypatch.setattr(engine, "WORTH", 0.0)
    assert torch.equal(built(tmp_path / "long", Work(*parts()), EngineSection()), alone)
    assert pooled == [min(os.cpu_count() or 1, 4)]


@pytest.mark.slow
def test_two_processes_give_what_one_does(alone: torch.Tensor, tmp_path: Path) -> None:
    assert torch.equal(built(tmp_path, Work(*parts()), EngineSection(workers=2)), alone)


@pytest.mark.slow
def test_processes_that_always_die_end_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"was killed 3 times in a row.*engine\.workers"):
        built(tmp_path, Doomed(*parts()), EngineSection(workers=2))


@pytest.mark.slow
def test_a_ray_cluster_gives_what_one_process_does_though_a_worker_is_killed(
    alone: torch.Tensor, tmp_path: Path
) -> None:
    pytest.importorskip("ray")
    work = Mortal(*parts(), spared=tmp_path / "spared")
    assert torch.equal(built(tmp_path / "zoo", work, EngineSection("ray", workers=2)), alone)
    assert work.spared.exists()


def test_without_ray_there_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(RequestError, match=r"pip install 'wsframework\[ray\]'"):
        built(tmp_path, Work(*parts()), EngineSection("ray"))
