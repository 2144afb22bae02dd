"""A stage is computed once, whatever happens; a fingerprint changes exactly when its values do."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, make_dataclass, replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wsframework.config.later import later
from wsframework.config.sections import TrainSection
from wsframework.errors import RequestError, StoreError
from wsframework.pipeline.lock import run_lock
from wsframework.pipeline.stage import Checkpoint, StageCache, Staged, fingerprint
from wsframework.spaces import WeightSpace
from wsframework.store import load_tensors, save_tensors

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@dataclass(frozen=True)
class Recipe:
    lr: float
    steps: tuple[int, ...] = (1, 2)


def save(x: torch.Tensor, folder: Path) -> None:
    save_tensors(folder / "x.safetensors", {"x": x})


def load(folder: Path) -> torch.Tensor:
    return load_tensors(folder / "x.safetensors")[0]["x"]


class Work:
    """Computes a tensor and counts how often."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> torch.Tensor:
        self.times += 1
        return torch.full((3,), float(self.times))


@settings(deadline=None)
@given(values, values)
def test_fingerprints_are_equal_exactly_when_values_are(a: object, b: object) -> None:
    assert (fingerprint(a) == fingerprint(b)) == (json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True))
    assert fingerprint(a, b) != fingerprint([a, b])


def test_fingerprints_see_every_field_and_bit() -> None:
    space = WeightSpace.parse("free h=3\nweight h")
    x = torch.arange(6.0)
    different = [
        TrainSection(steps=1),
        replace(TrainSection(steps=1), lr=0.001 + 2e-19),
        replace(TrainSection(steps=1), ema=0.9),
        Recipe(0.1),
        Recipe(0.1, (1,)),
        {"lr": 0.1, "steps": [1, 2]},
        space,
        WeightSpace.parse("free h=4\nweight h"),
        x,
        x.double(),
        x.reshape(2, 3),
        torch.nextafter(x, x + 1),
        {1, 2},
        [1, 2],
        Path("a"),
        "a",
        1,
        1.0,
        True,
    ]
    found = [fingerprint(value) for value in different]
    assert len(set(found)) == len(found)
    assert fingerprint(x[::2]) == fingerprint(x[::2].clone())
    assert fingerprint({"a": 1, "b": {3, 4}}) == fingerprint({"b": {4, 3}, "a": 1})


def test_a_later_key_at_its_default_changes_no_fingerprint() -> None:
    sections = [
        make_dataclass("Section", [("lr", float), *fields])
        for fields in ([], [("kept", tuple[int, ...], later(()))], [("kept", tuple[int, ...], ())])
    ]
    before, now, never = (fingerprint(section(0.1)) for section in sections)
    assert now == before != never
    assert fingerprint(sections[1](0.1, (1,))) == fingerprint(sections[2](0.1, (1,)))


def test_fingerprints_are_the_same_in_every_process() -> None:
    code = "from wsframework.pipeline.stage import fingerprint as f; print(f({'a', 'b', 'c'}, 0.1, {'k': None}))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == fingerprint({"a", "b", "c"}, 0.1, {"k": None})


@pytest.mark.parametrize("value", [object(), {1: 2}, lambda: 0, Recipe])
def test_what_has_no_stable_form_has_no_fingerprint(value: object) -> None:
    with pytest.raises(TypeError, match="fingerprint"):
        fingerprint(value)


def test_a_finished_stage_is_reused_with_its_cost(tmp_path: Path) -> None:
    work = Work()
    first = StageCache(tmp_path).stage("train", "f", work, save, load, spent=lambda: 100.0)
    second = StageCache(tmp_path).stage("train", "f", work, save, load)
    assert work.times == 1
    assert torch.equal(first.value, second.value)
    assert (first.reused, second.reused) == (False, True)
    assert second.seconds == first.seconds > 100


def test_another_fingerprint_is_computed_again(tmp_path: Path) -> None:
    cache, work = StageCache(tmp_path), Work()
    cache.stage("train", "f", work, save, load)
    assert not cache.stage("train", "g", work, save, load).reused
    assert not cache.stage("train", "f", work, save, load).reused
    assert work.times == 3


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"?"), lambda path: path.write_text("")])
@pytest.mark.parametrize("file", ["x.safetensors", "stages/train.json"])
def test_a_damaged_stage_is_computed_again(tmp_path: Path, damage: object, file: str) -> None:
    cache, work = StageCache(tmp_path), Work()
    cache.stage("train", "f", work, save, load)
    damage(tmp_path / file)  # type: ignore[operator]
    assert torch.equal(cache.stage("train", "f", work, save, load).value, torch.full((3,), 2.0))
    assert cache.stage("train", "f", work, save, load).reused


@pytest.mark.parametrize("broken", ["compute", "save", "load"])
def test_a_stage_that_failed_is_not_recorded(tmp_path: Path, broken: str) -> None:
    """Not even when an earlier fingerprint was: its files may be half replaced."""
    cache = StageCache(tmp_path)
    cache.stage("train", "old", Work(), save, load)

    def fail(*_: object) -> torch.Tensor:
        raise KeyboardInterrupt

    parts = {"compute": Work(), "save": save, "load": load, broken: fail}
    with pytest.raises(KeyboardInterrupt):
        cache.stage("train", "new", **parts)  # type: ignore[arg-type]
    assert not (tmp_path / "stages" / "train.json").exists()


def test_a_result_is_returned_as_it_will_be_read(tmp_path: Path) -> None:
    """A run that goes on from memory and one that goes on from files must see the same numbers."""

    def save_rounded(x: torch.Tensor, folder: Path) -> None:
        save(x.half(), folder)

    def run() -> Staged[torch.Tensor]:
        return StageCache(tmp_path).stage("s", "f", lambda: torch.tensor([1 / 3]), save_rounded, load)

    assert torch.equal(run().value, run().value)


def train(checkpoint: Checkpoint, until: int) -> torch.Tensor:
    """A random walk of ``until`` steps that keeps its state every third."""
    generator, x, step = torch.Generator().manual_seed(0), torch.zeros(2), 0
    if (state := checkpoint.load()) is not None:
        (tensors, counters), step = state, state[1]["step"]
        x = tensors["x"]
        generator.set_state(tensors["generator"])
        assert counters["loss"] == float(x[0])
    while step < until:
        x = x + torch.randn(2, generator=generator)
        step += 1
        if step % 3 == 0:
            state_now = {"x": x, "generator": generator.get_state()}
            checkpoint.save(state_now, {"step": step, "loss": float(x[0])})
    return x


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(0, 20), max_size=4))
def test_resuming_gives_identical_numbers(tmp_path_factory: pytest.TempPathFactory, stops: list[int]) -> None:
    folder = tmp_path_factory.mktemp("run")
    whole = train(Checkpoint(folder / "whole", "f"), 20)
    resumed = Checkpoint(folder / "resumed", "f")
    for stop in sorted(stops):
        train(resumed, stop)
    assert torch.equal(train(resumed, 20), whole)


def test_a_checkpoint_of_another_stage_or_a_torn_one_is_none(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    assert Checkpoint(path, "f").load() is None
    Checkpoint(path, "f").save({"x": torch.ones(2)}, {"step": 1})
    assert Checkpoint(path, "f").load() is not None
    assert Checkpoint(path, "g").load() is None
    path.write_bytes(path.read_bytes()[:-1])
    assert Checkpoint(path, "f").load() is None
    Checkpoint(path, "f").remove()
    assert not path.exists()
    Checkpoint(path, "f").remove()


def test_a_folder_is_held_by_one_run(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "gaussian"
    for _ in range(2):
        with run_lock(folder):
            with pytest.raises(RequestError, match="another run"), run_lock(folder):
                pass
            with run_lock(tmp_path / "other"):
                pass
    with pytest.raises(StoreError), run_lock(folder):
        raise StoreError("the run failed")
    with run_lock(folder):
        pass
