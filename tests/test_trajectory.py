"""Networks on their way: what a shorter training would have ended in, on disk and back, exported and merged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny import REGISTRY, tiny
from torch import Tensor
from typer.testing import CliRunner

import wsframework as wsf
from wsframework.cli.app import app
from wsframework.errors import ConfigError, RequestError, StoreError
from wsframework.pipeline.single import Run
from wsframework.pipeline.zoo_alone import build_alone
from wsframework.store import load_tensors
from wsframework.stored_weights import StoredWeights
from wsframework.tasks import OBJECTIVES, Data, Task, TaskShape
from wsframework.zoo import Zoo
from wsframework.zoo_store import ZooStore, along
from wsframework.zoos import ZooFolder, export_states, export_zoo, load_zoo, merge_zoos, summary

EPOCHS = (0, 1, 3)
SMALL = {"zoo.size": 7, "zoo.block": 3, "zoo.epochs": 4, "tasks.seen": 5}


def config(**changes: Any) -> Any:
    return tiny(**{**SMALL, **{key.replace("__", "."): value for key, value in changes.items()}})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A zoo of three blocks that was kept on its way."""
    out = tmp_path_factory.mktemp("way") / "zoo"
    build_alone(config(zoo__checkpoints=list(EPOCHS)), REGISTRY, out)
    return out


def assert_same(a: Zoo, b: Zoo) -> None:
    assert torch.equal(a.weights.x, b.weights.x)
    assert torch.equal(a.loss, b.loss)
    assert [s.epoch for s in a.trajectory] == [s.epoch for s in b.trajectory]
    for one, other in zip(a.trajectory, b.trajectory, strict=True):
        assert torch.equal(one.weights.x, other.weights.x)
        assert torch.equal(one.loss, other.loss)


@pytest.mark.parametrize("network", [{"use": "mlp", "widths": [4]}, {"use": "cnn", "channels": [2], "norm": "batch"}])
def test_each_state_is_the_end_of_a_shorter_training_and_the_end_is_as_ever(network: dict[str, Any]) -> None:
    shape = TaskShape((2,) if network["use"] == "mlp" else (1, 4, 4), (3,))
    random = torch.Generator().manual_seed(0)
    x, y = torch.randn(2, 40, *shape.inputs, generator=random), torch.randint(3, (2, 40), generator=random)
    data = [Data(*pair) for pair in zip(x, y, strict=True)]
    tasks = [Task(f"task-{i}", shape, d, d, OBJECTIVES["classification"]) for i, d in enumerate(data)]
    whole = wsf.train_zoo(network, tasks, epochs=4, checkpoints=(1, 3), seed=3)
    assert [s.epoch for s in whole.trajectory] == [1, 3]
    ends = [wsf.train_zoo(network, tasks, epochs=epochs, seed=3) for epochs in (1, 3, 4)]
    for reached, end in zip([*whole.trajectory, whole], ends, strict=True):
        assert torch.equal(reached.weights.x, end.weights.x)
        assert torch.equal(reached.loss, end.loss)
        assert not end.trajectory


def test_epoch_0_is_how_networks_begin() -> None:
    tasks = REGISTRY.get("task_family", "gaussians")().draw(3, 0, 1, torch.Generator().manual_seed(0)).seen
    zoos = [wsf.train_zoo("mlp", tasks, epochs=1, lr=lr, checkpoints=[0]) for lr in (1e-3, 1e-1)]
    first, other = (zoo.trajectory[0] for zoo in zoos)
    assert torch.equal(first.weights.x, other.weights.x)
    assert not torch.equal(zoos[0].weights.x, zoos[1].weights.x)
    assert (zoos[0].loss < first.loss).all()


def test_what_is_read_back_is_what_was_trained_and_stays_on_disk(folder: Path) -> None:
    found, held = load_zoo(folder), config(zoo__checkpoints=list(EPOCHS))
    run = Run(held, REGISTRY, folder.parent, "cpu")
    assert_same(run.zoo, found)
    assert [s.epoch for s in found.trajectory] == list(EPOCHS)
    tasks = run.splits.seen
    states = [
        wsf.train_zoo(held.network.options | {"use": "mlp"}, tasks, size=3, epochs=e, batch=held.zoo.batch)
        for e in (1, 3)
    ]
    for reached, end in zip(found.trajectory[1:], states, strict=True):
        assert isinstance(reached.weights, StoredWeights)
        assert torch.equal(reached.weights.rows(torch.tensor([2, 0])), end.weights.x[[2, 0]])
        assert torch.equal(reached.loss[:3], end.loss)


def test_without_checkpoints_folder_and_recipe_are_as_before(tmp_path: Path, folder: Path) -> None:
    build_alone(config(), REGISTRY, tmp_path / "plain")
    recipes = [json.loads((f / "zoo.json").read_text())["recipe"] for f in (tmp_path / "plain", folder)]
    assert "checkpoints" not in recipes[0]
    assert recipes[1] == recipes[0] | {"checkpoints": list(EPOCHS)}
    assert load_tensors(tmp_path / "plain" / "shard-00000.safetensors")[0].keys() == {"x", "loss", "task_index"}
    identities = [Run(c, REGISTRY, tmp_path, "cpu").identity for c in (config(), config(zoo__checkpoints=[1]))]
    assert identities[0].zoo != identities[1].zoo


def test_exported_and_merged_zoos_keep_them(folder: Path, tmp_path: Path) -> None:
    found = load_zoo(folder)
    assert_same(load_zoo(export_zoo(folder, tmp_path / "out")), found)
    assert ZooFolder(tmp_path / "out").content == ZooFolder(folder).content
    assert "`x@E`" in (tmp_path / "out" / "README.md").read_text()
    build_alone(config(zoo__checkpoints=list(EPOCHS), seed=1), REGISTRY, tmp_path / "other")
    other, both = load_zoo(tmp_path / "other"), load_zoo(merge_zoos([folder, tmp_path / "other"], tmp_path / "both"))
    for i, kept in enumerate(both.trajectory):
        ways = [zoo.trajectory[i] for zoo in (found, other)]
        assert torch.equal(kept.weights.x, torch.cat([s.weights.x for s in ways]))
        assert torch.equal(kept.loss, torch.cat([s.loss for s in ways]))
    assert_same(load_zoo(merge_zoos([tmp_path / "both"], tmp_path / "again")), both)


def test_what_has_no_place_for_them_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="after epochs 0, 1, 3 of their training"):
        export_states(folder, tmp_path / "states")
    build_alone(config(seed=1), REGISTRY, tmp_path / "other")
    with pytest.raises(RequestError, match=r"after other epochs \(none\) than .* \(0 and 1 and 3\)"):
        merge_zoos([folder, tmp_path / "other"], tmp_path / "both")
    assert {path.name for path in tmp_path.iterdir()} == {"other"}


@pytest.mark.parametrize("kept", [[4], [2, 1], [1, 1]])
def test_epochs_out_of_order_are_a_mistake(kept: list[int]) -> None:
    with pytest.raises(AssertionError, match="ascending order, each before the last one"):
        config(zoo__checkpoints=kept)
    tasks = REGISTRY.get("task_family", "gaussians")().draw(2, 0, 1, torch.Generator()).seen
    with pytest.raises(ConfigError, match=r"zoo\.checkpoints"):
        wsf.train_zoo("mlp", tasks, epochs=4, checkpoints=kept)


def test_damage_on_the_way_is_told_and_the_rest_is_readable(tmp_path: Path) -> None:
    zoo = tmp_path / "zoo"
    build_alone(config(zoo__checkpoints=[1]), REGISTRY, zoo)
    whole, block = load_zoo(zoo).trajectory[0], ZooFolder(zoo).block(1)
    before = whole.weights.x

    def write(**changes: Tensor | None) -> None:
        further = {name: value for name, value in {**block.further(), **changes}.items() if value is not None}
        named = (block.figures[name] for name in ("loss", "task_index"))
        ZooStore(zoo).append(1, block.x, *named, 0.0, further=further)

    x, loss = along(1)
    wrong = block.way[1].clone()
    wrong[2, 3] = torch.inf
    for changes, words, lost in (
        ({x: None}, "'x@1' is absent", {3, 4, 5}),
        ({loss: torch.zeros(2)}, "'loss@1' is (2,), not (3,)", {3, 4, 5}),
        ({x: wrong}, "has weights that are not finite", {5}),
    ):
        write(**changes)
        assert any(words in sentence for sentence in summary(zoo)["damage"])
        with pytest.raises(StoreError, match="is damaged"):
            load_zoo(zoo)
        rest, left = load_zoo(zoo, skip_damaged=True), [i for i in range(7) if i not in lost]
        assert torch.equal(rest.trajectory[0].weights.x, before[left])
        assert torch.equal(rest.trajectory[0].loss, whole.loss[left])
    write()
    assert torch.equal(load_zoo(zoo).trajectory[0].weights.x, before)


def test_showing_says_so(folder: Path) -> None:
    text = CliRunner().invoke(app, ["zoo", "show", str(folder)]).stdout
    assert "kept along training after epochs (mean loss): 0 (" in text
    found = summary(folder)["checkpoints"]
    assert [kept["epoch"] for kept in found] == list(EPOCHS)
    for kept, state in zip(found, load_zoo(folder).trajectory, strict=True):
        assert kept["loss"] == pytest.approx(float(state.loss.mean()))
