"""A plan: what the folder holds is kept, the rest is timed, and nothing is written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tiny import REGISTRY, files, tiny
from typer.testing import CliRunner

from wsframework.cli.app import app
from wsframework.pipeline.plan import on_line, plan
from wsframework.pipeline.run import run

pytestmark = pytest.mark.usefixtures("undrawn")
CONFIG = tiny(finetune__epochs=1)


def test_what_the_folder_holds_is_kept_and_nothing_is_written(tmp_path: Path) -> None:
    before = plan(CONFIG, REGISTRY, tmp_path / "run")
    assert not (tmp_path / "run").exists()
    assert all(stage.kept == 0 and stage.seconds > 0 for stage in before)
    scores = run(CONFIG, REGISTRY, tmp_path / "run").scores
    assert [stage.name for stage in before] == list(scores["cost"])
    written = files(tmp_path / "run")
    (tmp_path / "run" / "zoo" / "shard-00001.safetensors").unlink()
    after = {stage.name: stage for stage in plan(CONFIG, REGISTRY, tmp_path / "run")}
    assert files(tmp_path / "run") == written - {"zoo/shard-00001.safetensors"}
    assert after["zoo"].kept == pytest.approx(2 / 3)
    assert after["zoo"].seconds > 0
    assert all(stage.kept == 1 and stage.seconds == 0 for name, stage in after.items() if name != "zoo")


def test_a_time_is_carried_on_along_a_line_that_does_not_fall() -> None:
    assert on_line((1, 3), 2.0, 4.0, 11) == pytest.approx(12.0)
    assert on_line((1, 3), 2.0, 1.0, 11) == pytest.approx(2.0)
    assert on_line((8, 24), 10.0, 26.0, 0) == pytest.approx(2.0)


@pytest.mark.slow
def test_the_command_prints_every_run_of_an_ablation(tmp_path: Path) -> None:
    text = Path("examples/paper.toml").read_text(encoding="utf-8") + '\n[ablate]\n"train.lr" = [0.01, 0.001]\n'
    config = tmp_path / "two.toml"
    config.write_text(text, encoding="utf-8")
    small = ["--set", "tasks.held_out=8", "--set", "repeats=2", "--set", "compare.initializers=['random', 'prior']"]
    told = CliRunner().invoke(app, ["run", str(config), "--dry-run", "--json", "--out", str(tmp_path / "out"), *small])
    assert told.exit_code == 0
    found = json.loads(told.stdout)
    assert len(found) == 4
    assert {stage["name"] for stages in found.values() for stage in stages} >= {"zoo", "prior", "finetune-prior"}
