"""``wsf audit``: on two folders, whoever wrote them, and on a run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tiny import REGISTRY, made
from typer.testing import CliRunner
from zoos_for_tests import written, zoo

from wsframework.cli.app import app
from wsframework.errors import RequestError
from wsframework.pipeline.run import run
from wsframework.spaces import WeightSpace
from wsframework.zoos.examples import read_examples

MODULE = """
from torch import nn


def classifier(hidden=8):
    return nn.Sequential(nn.Linear(3, hidden), nn.ReLU(), nn.Linear(hidden, 2))
"""


def wsf(*words: object, code: int = 0) -> Any:
    result = CliRunner().invoke(app, ["audit", *map(str, words)])
    assert result.exit_code == code, (result.output, result.exception)
    return result


def states(count: int, seed: int) -> dict[str, dict[str, torch.Tensor]]:
    random = torch.Generator().manual_seed(seed)
    shapes = {"0.weight": (8, 3), "0.bias": (8,), "2.weight": (2, 8), "2.bias": (2,)}
    return {
        f"{i}.safetensors": {name: torch.randn(shape, generator=random) for name, shape in shapes.items()}
        for i in range(count)
    }


def moved(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The same function, with its neurons turned around, and half as large going in."""
    order = torch.arange(7, -1, -1)
    first, bias, second, last = state.values()
    return {"0.weight": first[order] / 2, "0.bias": bias[order] / 2, "2.weight": second[:, order] * 2, "2.bias": last}


SPACE = """
    free hidden:scale={}
    fixed in=3 out=2
    0.weight  hidden^1 in
    0.bias    hidden^1
    2.weight  out hidden^-1
    2.bias    out
"""


@pytest.fixture
def stated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tracing, which has tests of its own and takes a second, finds what is written above."""
    found = lambda module, _: WeightSpace.parse(SPACE.format(module[0].out_features))  # noqa: E731
    monkeypatch.setattr("wsframework.zoos.networks.trace", found)


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A zoo, copies of its networks that are moved, fresh networks, and what makes them."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nets.py").write_text(MODULE)
    found = states(40, 0)
    written(tmp_path / "zoo", found)
    written(tmp_path / "copies", {name: moved(state) for name, state in list(found.items())[:12]})
    written(tmp_path / "fresh", states(12, 1))
    return tmp_path


NETWORK = ("--network", "nets.py:classifier", "--input", "2,3", "--candidates", "3")


def test_moved_copies_are_found_in_files_of_others_by_the_symmetries_of_the_network(folders: Path) -> None:
    text = wsf("copies", "zoo", *NETWORK).stdout
    assert text.startswith("copies: 12 of 12 samples")
    assert "averages of 16" in text
    unknown = wsf("copies", "zoo", "--candidates", "3")
    assert "copies in place" in unknown.stderr
    assert not unknown.stdout.startswith("copies")


@pytest.mark.usefixtures("stated")
def test_fresh_networks_are_no_copies_and_share_fewer_mistakes_than_copies_do(folders: Path) -> None:
    x, y = torch.randn(30, 3, generator=torch.Generator().manual_seed(2)), torch.arange(30) % 2
    save_file({"x": x, "y": y}, "inputs.safetensors")
    words = ("zoo", "--network", "nets.py:classifier", "--inputs", "inputs.safetensors", "--candidates", "3", "--json")
    copies = json.loads(wsf("copies", *words).stdout)
    assert copies["groups"]["samples"]["overlap"]["min"] == 1
    fresh = json.loads(wsf("fresh", *words, "--test", "fresh", "--seed", 3).stdout)
    assert fresh["verdict"].startswith("no sign of copying at n = 12")
    assert fresh["groups"]["samples"]["overlap"]["median"] < 1
    assert fresh["groups"]["test"]["networks"] == fresh["bar"]["peers"] == 12


def test_inputs_and_labels_are_read_from_arrays_too_and_never_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / "plain.npz", x=np.ones((4, 3)), y=np.arange(4))
    x, y = read_examples(tmp_path / "plain.npz")
    assert (x.dtype, x.shape, y.tolist()) == (torch.float32, (4, 3), [0, 1, 2, 3])
    np.savez(tmp_path / "pickled.npz", x=np.array([{}]), y=np.arange(1))
    with pytest.raises(RequestError, match="can't be read as arrays of numbers"):
        read_examples(tmp_path / "pickled.npz")


MISTAKES = {
    "a folder that is not there": (("copies", "zooo", *NETWORK), "no such file or folder"),
    "a folder without weights": (("empty", "zoo", *NETWORK), "no state dict is here"),
    "other networks": (("copies", "zoo", "--network", "nets.py:classifier", "--arg", "9", "--input", "2,3"), "shape"),
    "no example input": (("copies", "zoo", "--network", "nets.py:classifier"), "give its shape with --input"),
    "inputs without a network": (("copies", "zoo", "--inputs", "x.npz"), "name it with --network"),
    "inputs that are not there": (("copies", "zoo", *NETWORK, "--inputs", "x.npz"), "can't be read"),
    "inputs of another kind": (("copies", "zoo", *NETWORK, "--inputs", "nets.py"), "ends in .safetensors"),
    "inputs without labels": (("copies", "zoo", *NETWORK, "--inputs", "bare.safetensors"), "no tensor 'y'"),
    "inputs of another shape": (("copies", "zoo", *NETWORK, "--inputs", "wide.safetensors"), "can't read the inputs"),
    "a zoo of one": (("copies", "zoo/0.safetensors", *NETWORK), "this one has 1"),
    "no run": (("copies",), "no run lies here"),
    "options for a run": (("copies", "--seed", "3"), "options are for two folders"),
}


@pytest.mark.usefixtures("stated")
@pytest.mark.parametrize(("words", "sentence"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes_are_sentences(folders: Path, words: tuple[str, ...], sentence: str) -> None:
    (folders / "empty").mkdir()
    save_file({"x": torch.zeros(4, 3)}, folders / "bare.safetensors")
    save_file({"x": torch.zeros(4, 5), "y": torch.zeros(4)}, folders / "wide.safetensors")
    assert sentence in wsf(*words, code=2).stderr


def test_a_zoo_of_the_framework_is_read_as_it_is(folders: Path) -> None:
    of_framework = zoo(folders / "imported", count=6)
    found = json.loads(wsf(of_framework, of_framework, "--candidates", 2, "--json").stdout)
    assert (found["zoo"], found["groups"]["samples"]["distance"]["max"]) == (6, 0.0)


def test_a_run_is_audited_as_a_stage_where_that_is_asked_for(tmp_path: Path) -> None:
    config = made({"audit.samples": 5, "audit.candidates": 2, "compare.initializers": ("random", "prior")})
    scores = run(config, REGISTRY, tmp_path, "cpu").scores
    assert scores["memorization"]["groups"]["samples"]["networks"] == 5
    assert scores["cost"]["audit"]["seconds"] > 0
    for name in ("report.md", "report.html"):
        assert "Memorisation" in (tmp_path / name).read_text()
        assert scores["memorization"]["verdict"].split(" ")[0] in (tmp_path / name).read_text()
    assert json.loads(wsf(tmp_path, "--json").stdout) == scores["memorization"]
    without = replace(config, audit=replace(config.audit, samples=0))
    assert "memorization" not in run(without, REGISTRY, tmp_path, "cpu").scores
    assert json.loads(wsf(tmp_path, "--json").stdout)["groups"]["samples"]["networks"] == 8
    (tmp_path / "stages" / "initialize-prior.json").unlink()
    assert "go on with it: wsf run" in wsf(tmp_path, code=2).stderr
