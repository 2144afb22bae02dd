"""``wsf zoo``: results on stdout, stories on stderr, mistakes as sentences."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from tiny import TABLES
from typer.testing import CliRunner
from zoos_for_tests import states, written, zoo

from wsframework.cli.app import app
from wsframework.zoos import ZooFolder

MODULE = """
from torch import nn


def perceptron(hidden):
    return nn.Sequential(nn.Linear(2, hidden), nn.Tanh(), nn.Linear(hidden, 1))
"""


def wsf(*words: object, code: int = 0) -> Any:
    result = CliRunner().invoke(app, ["zoo", *map(str, words)])
    assert result.exit_code == code, (result.output, result.exception)
    return result


def test_building_keeps_what_is_there_and_says_what_it_is(tmp_path: Path) -> None:
    config = tmp_path / "small.toml"
    config.write_text(tomlkit.dumps({**TABLES, "zoo": {"size": 3, "epochs": 1, "block": 2}, "repeats": 2}))
    words = ("build", config, "--out", tmp_path / "zoo", "--set", "tasks.seen=2", "--seed", 4)
    first = wsf(*words)
    assert first.stdout.split() == [str(tmp_path / "zoo")]
    found = json.loads(wsf(*words, "--json").stdout)
    assert (found["networks"], found["recipe"]["seed"], len(found["tasks"])) == (3, 4, 2)
    assert found["architectures"] == ["mlp widths=[4] activation=relu bias=True"]
    assert "kept from before" in wsf(*words).stderr


def test_showing_says_everything_and_leaves_with_1_where_something_is_damaged(tmp_path: Path) -> None:
    folder = zoo(tmp_path / "zoo", 7)
    text, found = wsf("show", folder).stdout, json.loads(wsf("show", folder, "--json").stdout)
    assert found["damage"] == []
    assert found["loss"] is None
    for words in ("7 networks", "13 weights each, float32", "free dims: none", "loss: not known", "2 tasks"):
        assert words in text
    assert found["content"] in text
    (folder / "shard-00000.safetensors").unlink()
    damaged = wsf("show", folder, code=1).stdout
    assert "damaged: " in damaged
    assert "7 of them can't be read" in damaged


def test_a_histogram_counts_every_network(tmp_path: Path) -> None:
    source = written(tmp_path / "files", states(5))
    losses = [1e-5, 1e-3, 1e-3, 0.5, 1.0]
    rows = "".join(f"net-0-{i}.safetensors,t,{loss},0.5\n" for i, loss in enumerate(losses))
    (source / "tasks.csv").write_text("file,task,loss,metric\n" + rows)
    words = ("import", source, "--tasks", source / "tasks.csv", "--out", tmp_path / "zoo", "--json")
    found = json.loads(wsf(*words).stdout)
    assert sum(found["loss"]["counts"]) == sum(found["metric"]["counts"]) == 5
    assert found["loss"]["counts"][0] == 1  # 1e-5 is apart from 1e-3: the axis is logarithmic
    assert found["loss"]["greatest"] == 1.0
    text = wsf("show", tmp_path / "zoo").stdout
    assert "loss: 1e-05 to 1" in text
    assert "█ 2" in text


def test_networks_are_imported_with_and_without_a_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = written(tmp_path / "files", states(2))
    (tmp_path / "mine.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    words = ("import", "files", "--tasks", "files/tasks.csv", "--out")
    plain = wsf(*words, "plain")
    assert "symmetries unknown" in plain.stderr
    assert plain.stdout == "plain\n"
    module = ("--network", "mine.py:perceptron", "--arg", "hidden=3", "--input", "2,2")
    found = json.loads(wsf(*words, "traced", *module, "--json").stdout)
    assert [dim["size"] for dim in found["free"]] == [3]
    assert found["recipe"]["imported"]["network"] == "mine.py:perceptron"
    wrong = wsf(*words, "other", *module[:3], "hidden=4", *module[4:], code=2)
    assert "'0.weight' has shape (3, 2), where (4, 2) is wanted" in wrong.stderr
    assert "--network MODULE:FACTORY" in wsf(*words, "other", "--input", "2,2", code=2).stderr
    assert "is there already" in wsf(*words, "plain", code=2).stderr
    assert source.is_dir()


def test_what_is_exported_holds_only_safetensors_json_and_a_card(tmp_path: Path) -> None:
    folder, out = zoo(tmp_path / "zoo"), tmp_path / "out"
    assert wsf("export", folder, "--out", out).stdout.strip() == str(out)
    assert {path.suffix for path in out.iterdir()} == {".safetensors", ".json", ".md"}
    assert "# A zoo of 4 networks" in (out / "README.md").read_text()
    wsf("show", out)
    assert json.loads((out / "config.json").read_text())["content"] == ZooFolder(folder).content
    wsf("export", out, "--out", tmp_path / "states", "--state-dicts")
    assert {path.suffix for path in (tmp_path / "states").iterdir()} == {".safetensors", ".csv"}


def test_merging_counts_all_networks(tmp_path: Path) -> None:
    parts = [zoo(tmp_path / f"zoo{i}", 3, seed=i) for i in range(2)]
    found = json.loads(wsf("merge", *parts, "--out", tmp_path / "both", "--json").stdout)
    assert found["networks"] == 6
    assert found["architectures"] == ["imported without a network: symmetries unknown, no dim is free"]
    assert "3 ids" in wsf("merge", parts[0], parts[0], "--out", tmp_path / "twice", code=2).stderr


def test_what_is_no_zoo_is_told(tmp_path: Path) -> None:
    assert f"wsf: {tmp_path}: there is no zoo here" in wsf("show", tmp_path, code=1).stderr
    folder = zoo(tmp_path / "zoo", 1)
    assert f"did you mean {folder}?" in wsf("show", tmp_path, code=1).stderr
