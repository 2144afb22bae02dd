"""Finished runs: their reports once more, and several of them side by side."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tiny import REGISTRY, tiny
from typer.testing import CliRunner

from wsframework.cli.app import app
from wsframework.pipeline.finished_run import FinishedRun
from wsframework.pipeline.rewriting import rewritten
from wsframework.pipeline.run import run

pytestmark = pytest.mark.usefixtures("undrawn")

SMALL = {"compare__initializers": ("random", "prior"), "train__steps": 4, "zoo__size": 4, "tasks__seen": 4}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A run, the same with another prior, one with other tasks, and one with another budget."""
    folder = tmp_path_factory.mktemp("runs")
    changes = {
        "first": {},
        "trained": {"train__steps": 6},
        "tasks": {"tasks__points": 20},
        "budget": {"finetune__epochs": 1},
    }
    for name, changed in changes.items():
        run(tiny(**{**SMALL, **changed}), REGISTRY, folder / name, "cpu")
    return {name: folder / name for name in changes}


def wsf(*words: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["report", *map(str, words)])
    return done.exit_code, done.stdout, done.stderr


def test_the_report_of_a_finished_run_is_what_the_run_wrote(folders: dict[str, Path], tmp_path: Path) -> None:
    assert rewritten(FinishedRun.read(folders["first"]), tmp_path) == tmp_path / "report.html"
    for name in ("report.md", "report.html"):
        assert (tmp_path / name).read_bytes() == (folders["first"] / name).read_bytes()
    page = (tmp_path / "report.md").read_text(encoding="utf-8")
    for title in ("What was found", "Who beats whom", "What networks say", "Recipe", "Cost"):
        assert f"## {title}\n" in page


def test_runs_are_comparable_on_the_same_tasks_by_the_same_fine_tuning(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    code, told, _ = wsf(*folders.values(), "--out", tmp_path, "--json")
    found = json.loads(told)
    assert code == 0
    assert found == json.loads((tmp_path / "comparison.json").read_text())
    assert found["groups"] == [["first", "trained"], ["tasks"], ["budget"]]
    assert found["reasons"] == [
        "tasks is not comparable with first: other tasks.",
        "budget is not comparable with first: other fine-tuning.",
    ]
    assert list(found["paired"]) == ["trained"]
    page = (tmp_path / "report.md").read_text(encoding="utf-8")
    for name, folder in folders.items():
        loss = FinishedRun.read(folder).scores["curves"]["prior"]["train_loss"]["mean"][0]
        assert found["runs"][name]["curves"]["prior"]["train_loss"]["mean"][0] == loss
        assert f"\n| {name} |" in page
    assert "Against first, the support loss from the prior of trained before any step is" in page


def test_a_run_beside_its_copy_is_level_with_it(folders: dict[str, Path], tmp_path: Path) -> None:
    shutil.copytree(folders["first"], tmp_path / "copy")
    code, told, _ = wsf(folders["first"], tmp_path / "copy", "--out", tmp_path / "out", "--json")
    found = json.loads(told)["paired"]["copy"]["before"]["train_loss"]
    assert (code, found["difference"], found["better"], found["worse"]) == (0, 0, False, False)


def test_where_no_two_are_comparable_it_says_so(folders: dict[str, Path], tmp_path: Path) -> None:
    assert wsf(folders["first"], folders["tasks"], "--out", tmp_path)[:2] == (0, f"{tmp_path / 'report.html'}\n")
    assert "No two of these runs are comparable" in (tmp_path / "report.md").read_text(encoding="utf-8")


def test_an_older_run_without_a_digest_is_comparable_with_none(folders: dict[str, Path], tmp_path: Path) -> None:
    shutil.copytree(folders["first"], tmp_path / "older")
    path = tmp_path / "older" / "scores.json"
    scores = json.loads(path.read_text())
    del scores["tasks"]["digest"]
    path.write_text(json.dumps(scores))
    found = json.loads(wsf(folders["first"], tmp_path / "older", "--out", tmp_path / "out", "--json")[1])
    assert found["groups"] == [["first"], ["older"]]
    assert "older has no digest of them; run it once more." in found["reasons"][0]


def test_the_command_refuses_in_a_sentence(folders: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "unfinished").mkdir()
    (tmp_path / "unfinished" / "config.toml").write_text("")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "scores.json").write_text("[1]")
    first, inside = folders["first"], folders["first"].parent
    refused = {
        (tmp_path / "nothing",): (2, "there is no such folder"),
        (inside / "frist",): (2, f"beside it: {inside / 'budget'}"),
        (inside,): (2, "no run's folder: it has neither scores.json nor config.toml; there are runs in it"),
        (tmp_path / "unfinished",): (2, "has not come to its end"),
        (tmp_path / "broken",): (1, "these are no scores as a run writes them"),
        (first, first, "--out", tmp_path / "out"): (2, "the same folder was given twice"),
    }
    for words, (code, sentence) in refused.items():
        found, told, said = wsf(*words)
        assert (found, told) == (code, ""), said
        assert sentence in said
