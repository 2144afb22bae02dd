"""`wsf sample`: files that load, figures that hold, a warning where it is due, and mistakes that leave with 2."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from documents import ROOT
from hypothesis import given
from hypothesis import strategies as st
from priors_for_tests import prior
from priors_for_tests import task as drawn_task
from safetensors.torch import load_file
from test_own_data import BAD, GOOD, written
from torch import nn
from typer.testing import CliRunner

import wsframework as wsf
from wsframework import footprint, selection
from wsframework.cli.app import app
from wsframework.errors import RequestError
from wsframework.pipeline.trained import prior_folder
from wsframework.selection import best, losses_on_support, support_scores
from wsframework.tasks import Task

SEEN_LIKE = [(x / 2 - 1 + y / 5, y / 2 - 1, "ab"[(x + y) % 2]) for x in range(5) for y in range(5)]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a run's prior, `run/prior`, and a task like the seen ones, `task.csv`."""
    prior().save(tmp_path / "run" / "prior")
    written(tmp_path / "task.csv", ("x", "y", "label"), SEEN_LIKE[:-1])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def sample(*words: object) -> Any:
    result = CliRunner().invoke(app, ["sample", *map(str, words)])
    assert result.exit_code != 1, result.exception
    assert "Traceback" not in result.output
    return result


class Mine(nn.Module):
    """A network as a user would write it."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(2, 4), nn.Linear(4, 2)])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.layers[1](self.layers[0](x).relu())
        return result


def test_the_file_loads_into_a_module_of_ones_own(place: Path) -> None:
    result = sample("run", "--data", "task.csv", "-o", "here/init.safetensors")
    assert result.exit_code == 0
    assert result.stdout == "here/init.safetensors\n"
    network = Mine()
    network.load_state_dict(load_file("here/init.safetensors"), strict=True)
    task = wsf.read_task("task.csv", prior())
    loss = nn.functional.cross_entropy(network(task.support.x), task.support.y)
    assert f"before any step, loss {loss:.4g}, accuracy" in result.stderr
    assert "read the classes: a is 0, b is 1\n" in result.stderr


def test_a_prior_of_its_own_serves_as_well_as_a_run(place: Path) -> None:
    for run in ("run", "run/prior"):
        assert sample(run, "--data", "task.csv", "-o", f"{run}.safetensors").exit_code == 0
    assert Path("run.safetensors").read_bytes() == Path("run/prior.safetensors").read_bytes()


def test_the_seed_decides_every_byte(place: Path) -> None:
    files = {}
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        sample("run", "--data", "task.csv", "-o", name, "--seed", seed)
        files[name] = Path(name).read_bytes()
    assert files["a"] == files["b"] != files["c"]


def test_several_draws_are_several_files_told_as_json(place: Path) -> None:
    result = sample("run", "--data", "task.csv", "-n", 3, "--best-of", 4, "--json", "--device", "cpu")
    found = json.loads(result.stdout)
    assert [file["path"] for file in found["files"]] == [f"init-{i}.safetensors" for i in range(3)]
    assert (found["metric"], found["classes"], found["warning"]) == ("accuracy", ["a", "b"], None)
    assert "drew 3 networks, each the best of 4" in result.stderr
    task = wsf.read_task("task.csv", prior())
    for file in found["files"]:
        x = prior().space.flatten(load_file(file["path"]))[None]
        losses, scores = support_scores(prior().architecture, task, x)
        assert file["support_loss"] == pytest.approx(losses.item(), rel=1e-5)
        assert file["support_metric"] == pytest.approx(scores.item())


def test_a_far_task_is_warned_of_and_a_near_one_is_not(place: Path) -> None:
    assert "warning" not in sample("run", "--data", "task.csv").stderr
    written(place / "far.csv", ("x", "y", "label"), [(x + 1000, y, label) for x, y, label in SEEN_LIKE])
    result = sample("run", "--data", "far.csv", "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)["warning"]
    assert "2 of the 12 numbers that describe the task lie outside what the prior has seen, most of all: " in found
    assert f"warning: {found}" in result.stderr


def test_a_task_too_far_for_any_weights_is_told(place: Path) -> None:
    written(place / "far.csv", ("x", "y", "label"), [(1e30, 0, "a"), (-1e38, 0, "a"), (1, 2, "b")])
    result = sample("run", "--data", "far.csv")
    assert result.exit_code == 2
    assert "would not be finite numbers" in result.stderr
    assert not Path("init.safetensors").exists()


def test_labels_are_named(place: Path) -> None:
    Path("mine.csv").write_text(GOOD.replace("label", "kind"))
    assert sample("run", "--data", "mine.csv", "--label", "kind").exit_code == 0
    prior(1, 2, "regression").save("regression")
    Path("mine.csv").write_text("x,a,b\n1,2,3\n4,5,7\n")
    result = sample("regression", "--data", "mine.csv", "--label", "a", "--label", "b")
    assert result.exit_code == 0
    assert "mse" in result.stderr
    assert "classes" not in result.stderr


def test_a_prior_that_reads_codes_can_not_read_a_table(place: Path) -> None:
    prior(code=3).save("coded")
    result = sample("coded", "--data", "task.csv")
    assert result.exit_code == 2
    assert "conditioner 'code' expects a code of 3 numbers; task 'task' has none" in result.stderr


@pytest.mark.parametrize(("content", "told"), BAD.values(), ids=BAD)
def test_a_bad_file_leaves_with_2(content: str | bytes, told: list[str], place: Path) -> None:
    Path("mine.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    result = sample("run", "--data", "mine.csv")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("wsf: mine.csv: ")
    assert told[0] in result.stderr
    assert not Path("init.safetensors").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("run", "--data", "taks.csv"), "there is no such file; did you mean 'task.csv'?"),
        (("rnu", "--data", "task.csv"), "wsf: rnu: there is no such folder; did you mean 'run'?"),
        (("task.csv", "--data", "task.csv"), "this is a file"),
        ((".", "--data", "task.csv"), "its priors are in folders of their own; name one: run\n"),
        (("nothing", "--data", "task.csv"), "no run and no prior lies in this folder"),
        (("begun", "--data", "task.csv"), "go on with it: wsf run begun/config.toml --out begun"),
        (("run", "--data", "task.csv", "-o", "run"), "name a file, such as run/init.safetensors"),
        (("run", "--data", "task.csv", "-o", "task.csv/init"), "can't be written"),
        (("run", "--data", "task.csv", "-n", "0"), "'-n'"),
        (("run", "--data", "task.csv", "--best-of", "0"), "'--best-of'"),
        (("run", "--data", "task.csv", "--label", "a", "--label", "b"), "in 1 column"),
        (("run",), "--data"),
    ],
)
def test_a_wrong_request_leaves_with_2(words: tuple[str, ...], told: str, place: Path) -> None:
    Path("nothing").mkdir()
    Path("begun").mkdir()
    Path("begun/config.toml").touch()
    result = sample(*words)
    assert result.exit_code == 2
    assert told in result.stderr


def test_of_several_seeds_one_is_named(place: Path) -> None:
    for seed in range(7):
        shutil.copytree("run", f"several/seed-{seed}")
    with pytest.raises(RequestError, match=r"name one: several/seed-0, several/seed-1, .*seed-4, \.\.\.$"):
        prior_folder(Path("several"))


def far(task: Task, by: float) -> Task:
    """The task moved along its first coordinate."""
    x = task.support.x.clone()
    x[:, 0] += by
    return wsf.Task("far", task.shape, type(task.support)(x, task.support.y), task.query, task.objective)


@given(seed=st.integers(0, 29), by=st.floats(100, 1e6))
def test_seen_tasks_are_inside_and_moved_ones_outside(seed: int, by: float) -> None:
    task = drawn_task(prior().shape, "classification", seed)
    assert prior().outside(task) == ""
    assert "2 of the 12 numbers" in prior().outside(far(task, by))


@given(n=st.integers(1, 4), k=st.integers(1, 6), at_once=st.integers(1, 9), seed=st.integers(0, 99))
def test_the_best_of_each_group_is_kept(n: int, k: int, at_once: int, seed: int) -> None:
    draws = torch.randn(n * k, 3, generator=torch.Generator().manual_seed(seed))
    left = iter(draws)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(selection, "DRAWS", at_once)
        found = best(lambda count: torch.stack([next(left) for _ in range(count)]), lambda x: x[:, 0], n, k)
    groups = draws.reshape(n, k, 3)
    assert torch.equal(found, groups[torch.arange(n), groups[:, :, 0].argmin(1)])


def test_draws_that_are_no_numbers_are_the_worst() -> None:
    draws = torch.tensor([[torch.nan], [2.0], [torch.nan], [1.0]])
    assert best(lambda count: draws, lambda x: x[:, 0], 1, 4).item() == 1


def test_the_best_is_one_of_the_draws_and_no_worse_than_the_rest() -> None:
    task = drawn_task(prior().shape, "classification", 99)
    x = prior().sample(task, 8, torch.Generator().manual_seed(0)).x
    one = prior().sample(task, 1, torch.Generator().manual_seed(0), best_of=8).x
    losses, _ = support_scores(prior().architecture, task, x)
    assert losses.median() > losses.min()
    assert torch.equal(one[0], x[losses.argmin()])


def test_there_is_at_least_one_draw() -> None:
    for n, k in ((0, 1), (1, 0)):
        with pytest.raises(RequestError, match="at least 1"):
            prior().sample(drawn_task(prior().shape, "classification", 0), n, best_of=k)


def test_scores_do_not_depend_on_how_many_go_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    task, x = drawn_task(prior().shape, "classification", 0), torch.randn(7, prior().space.size)
    together = support_scores(prior().architecture, task, x)
    monkeypatch.setattr(footprint, "NUMBERS", 1)
    torch.testing.assert_close(support_scores(prior().architecture, task, x), together)
    torch.testing.assert_close(losses_on_support(prior().architecture, task, x), together[0])


def test_the_page_on_own_data_shows_the_messages_that_come(place: Path) -> None:
    page = (ROOT / "docs/how-to/own-data.md").read_text(encoding="utf-8")
    Path("bad.csv").write_text(page.split('write_text("""\\\n')[1].split('""")')[0])
    for words in ((), ("--label", "kind")):
        told = sample("run", "--data", "bad.csv", *words).stderr
        assert told.startswith("wsf: bad.csv")
        assert told in page
