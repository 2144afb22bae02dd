"""A whole run, at tiny size: what it leaves, what it reuses, and on what its numbers depend."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny import REGISTRY, Heard, files, made, tiny, without_cost

from wsframework.config.reading import read_config
from wsframework.config.sections import Config
from wsframework.errors import RequestError
from wsframework.pipeline.gathering import gather
from wsframework.pipeline.lock import run_lock
from wsframework.pipeline.report.drawing import saved
from wsframework.pipeline.run import run
from wsframework.pipeline.single import Run
from wsframework.prior import Prior
from wsframework.store import load_tensors
from wsframework.tasks import Data, Task

pytestmark = pytest.mark.usefixtures("undrawn")
EVERYONE = tuple(REGISTRY.parts("initializer"))
BEST = "prior (best of 3)"
CONFIG = made({"compare.initializers": EVERYONE, "compare.pretrained.steps": 5, "compare.reptile.steps": 2})


@dataclass(frozen=True)
class Done:
    folder: Path
    scores: dict[str, Any]
    heard: Heard


def done(config: Config, folder: Path) -> Done:
    heard = Heard()
    result = run(config, REGISTRY, folder, "cpu", heard)
    assert result.folder == folder
    assert result.report == folder / "report.html"
    assert json.loads((folder / "scores.json").read_text()) == result.scores
    return Done(folder, result.scores, heard)


FIGURES = ("support_loss", "query_loss", "metric", "speedup", "against", "pictures")


@pytest.fixture(scope="module")
def everyone(tmp_path_factory: pytest.TempPathFactory) -> Done:
    """A run with every initializer that there is, and its figures."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("wsframework.pipeline.report.drawing.saved", saved)
        found = done(CONFIG, tmp_path_factory.mktemp("everyone"))
    assert all(figure.stat().st_size for figure in (found.folder / "figures").iterdir())
    return found


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Done:
    """A run with few initializers."""
    return done(tiny(), tmp_path_factory.mktemp("first"))


def sampled(folder: Path) -> set[str]:
    return {path.name for path in (folder / "samples").iterdir()}


def test_the_folder_is_laid_out_as_promised(everyone: Done) -> None:
    assert files(everyone.folder) >= {
        "config.toml",
        "zoo/zoo.json",
        "zoo/index.jsonl",
        *(f"zoo/shard-0000{block}.safetensors" for block in range(3)),
        "prior/config.json",
        "prior/model.safetensors",
        *(f"samples/held_out-{task}/{k}.safetensors" for task in range(8) for k in range(3)),
        "scores.json",
        "report.html",
        "report.md",
        *(f"figures/{figure}.png" for figure in FIGURES),
    }
    assert not list(everyone.folder.glob("checkpoints/*")), "a checkpoint outlived its stage"
    assert read_config(everyone.folder / "config.toml", REGISTRY) == CONFIG


def test_nothing_in_the_folder_is_a_pickle(everyone: Done) -> None:
    kinds = {".toml", ".json", ".jsonl", ".safetensors", ".html", ".md", ".png", ""}
    for path in (p for p in everyone.folder.rglob("*") if p.is_file()):
        assert path.suffix in kinds, path
        assert path.suffix or path.name == ".lock", path
        start = path.read_bytes()[:2]
        assert not start.startswith(b"\x80"), path  # a pickle
        assert start != b"PK", path  # a zip of pickles, as torch.save writes


def test_every_sample_loads_into_a_network(everyone: Done) -> None:
    whole = Run(CONFIG, REGISTRY, everyone.folder, "cpu")
    drawn = whole.initial("prior").x
    for task, rows in zip(whole.judged, drawn, strict=True):
        for k, row in enumerate(rows):
            state, _ = load_tensors(everyone.folder / "samples" / task.name / f"{k}.safetensors")
            network = whole.architecture.network(task.shape)
            network.load_state_dict(state, strict=True)
            assert torch.equal(whole.space.flatten(network.state_dict()), row)
            assert network(task.query.x).shape == (len(task.query), 2)


def test_the_prior_reads_back(everyone: Done) -> None:
    prior = Prior.load(everyone.folder / "prior")
    assert prior.design == Run(CONFIG, REGISTRY, everyone.folder, "cpu").design
    assert sum(p.numel() for p in prior.parameters()) == everyone.scores["prior"]["parameters"]


def test_scores_hold_what_is_promised(everyone: Done) -> None:
    scores = everyone.scores
    assert set(scores["curves"]) | set(scores["not_applicable"]) == {*EVERYONE, BEST}
    assert {"random", "nearest", "hypernetwork", "prior", BEST, "shuffled"} <= set(scores["curves"])
    for name, quantities in scores["curves"].items():
        for quantity in ("train_loss", "query_loss", "query_metric", "query_accuracy"):
            for end in ("mean", "low", "high"):
                assert len(quantities[quantity][end]) == 3, (name, quantity)
        assert len(scores["epoch_loss"][name]["mean"]) == 2
        assert {"mean", "low", "high", "never"} <= set(scores["speedup"][name])
    assert scores["metric"] == {"name": "accuracy", "higher_is_better": True}
    assert scores["n"] == scores["tasks"]["held_out"] == 8
    assert scores["tasks"]["seen"] == scores["zoo"]["size"] == 32
    assert scores["votes"]["prior"]["members"] == 3
    assert {"wsframework", "torch", "numpy", "python"} <= set(scores["versions"])
    assert set(scores["cost"]) == set(everyone.heard.finished)
    assert all(cost["seconds"] >= 0 for cost in scores["cost"].values())


def test_the_report_names_every_initializer(everyone: Done) -> None:
    for name in ("report.md", "report.html"):
        text = (everyone.folder / name).read_text()
        assert all(initializer in text for initializer in (*EVERYONE, BEST))


def test_a_second_run_reuses_every_stage_and_keeps_its_cost(everyone: Done) -> None:
    assert not everyone.heard.reused()
    again = done(CONFIG, everyone.folder)
    assert again.heard.reused() == set(again.heard.finished) == set(everyone.heard.finished)
    assert again.scores == everyone.scores


def test_another_learning_rate_keeps_the_zoo(first: Done) -> None:
    again = done(tiny(train__lr=0.002), first.folder)
    assert again.heard.reused() == {"zoo", "finetune-random", "finetune-nearest"}
    assert again.scores["curves"]["prior"] != first.scores["curves"]["prior"]
    assert again.scores["curves"]["nearest"] == first.scores["curves"]["nearest"]
    back = done(tiny(), first.folder)
    assert without_cost(back.scores) == without_cost(first.scores)


def test_the_same_seed_gives_the_same_numbers_anywhere(first: Done, tmp_path: Path) -> None:
    assert without_cost(done(tiny(), tmp_path).scores) == without_cost(first.scores)


def test_another_seed_gives_others(first: Done, tmp_path: Path) -> None:
    other = done(tiny(seed=1), tmp_path)
    for name, curves in other.scores["curves"].items():
        assert curves != first.scores["curves"][name]


@pytest.mark.slow
def test_a_zoo_that_grew_is_the_zoo_of_that_size(first: Done, tmp_path: Path) -> None:
    """Blocks of 12: the second one held 4 of its networks only, and is trained anew; the first is kept."""
    done(tiny(zoo__size=16), tmp_path)
    kept = (tmp_path / "zoo" / "shard-00000.safetensors").stat().st_mtime_ns
    grown = done(tiny(), tmp_path)
    assert not grown.heard.finished["zoo"].reused
    assert (tmp_path / "zoo" / "shard-00000.safetensors").stat().st_mtime_ns == kept
    assert without_cost(grown.scores) == without_cost(first.scores)
    shrunk = done(tiny(zoo__size=16), tmp_path)
    assert shrunk.heard.finished["zoo"].reused
    assert shrunk.scores["zoo"]["size"] == 16


def test_tuning_is_judged_on_validation_tasks(first: Done, tmp_path: Path) -> None:
    tuned = done(tiny(tasks__judge="validation"), tmp_path)
    assert tuned.scores["n"] == 6
    assert {f.split("/")[1] for f in files(tmp_path) if f.startswith("samples/")} == {
        f"validation-{i}" for i in range(6)
    }
    judged = done(tiny(), tmp_path)
    assert judged.heard.reused() == {"zoo", "prior"}
    assert without_cost(judged.scores) == without_cost(first.scores)
    assert sampled(tmp_path) == {f"held_out-{i}" for i in range(8)}


def test_with_few_examples_nobody_sees_more(first: Done, tmp_path: Path) -> None:
    """The rest of the support data may be anything: no number of the run depends on it."""
    few = tiny(finetune__support=6, compare__initializers=("random", "nearest", "prior", "search", "analytic"))
    whole = Run(few, REGISTRY, tmp_path / "whole", "cpu")
    assert all(len(task.support) == 6 and len(task.query) == 16 for task in whole.judged)
    assert [set(task.support.y.tolist()) for task in whole.judged] == [{0, 1}] * 8
    changed = Run(few, REGISTRY, tmp_path / "changed", "cpu")
    changed.splits = replace(changed.splits, held_out=[_spoilt(task, 6) for task in changed.splits.held_out])
    for name in few.compare.initializers:
        assert torch.equal(whole.initial(name).x, changed.initial(name).x), name
    ours, theirs = (gather(run) for run in (whole, changed))
    assert ours.curves.keys() == theirs.curves.keys()
    for name, curves in ours.curves.items():
        assert all(torch.equal(t, theirs.curves[name].to_tensors()[key]) for key, t in curves.to_tensors().items())


def _spoilt(task: Task, kept: int) -> Task:
    """The task with every support example replaced that is not among the ``kept``."""
    x = torch.full_like(task.support.x, 9.0)
    places = torch.linspace(0, len(x) - 1, kept).round().long()
    x[places] = task.support.x[places]
    return replace(task, support=Data(x, task.support.y))


@pytest.mark.slow
def test_another_number_of_examples_draws_anew_and_keeps_the_prior(first: Done, tmp_path: Path) -> None:
    done(tiny(), tmp_path)
    few = done(tiny(finetune__support=6), tmp_path)
    assert few.heard.reused() == {"zoo", "prior"}


def test_several_seeds_pool_into_one_report(first: Done, tmp_path: Path) -> None:
    pooled = done(tiny(repeats=2), tmp_path)
    assert pooled.scores["n"] == 16
    single = [json.loads((tmp_path / f"seed-{seed}" / "scores.json").read_text()) for seed in (0, 1)]
    assert without_cost(single[0]) == without_cost(first.scores)
    means = [s["curves"]["prior"]["train_loss"]["mean"][0] for s in single]
    assert pooled.scores["curves"]["prior"]["train_loss"]["mean"][0] == pytest.approx(sum(means) / 2)


def test_digits(tmp_path: Path) -> None:
    tasks = {"use": "digits", "seen": 16, "validation": 2, "held_out": 4}
    found = done(
        made(
            {
                "tasks": tasks,
                "zoo.size": 16,
                "zoo.batch": 256,
                "finetune.batch": 256,
                "conditioner.use": "code",
                "compare.initializers": ["random", "nearest", "prior", "analytic"],
            }
        ),
        tmp_path,
    )
    assert found.scores["n"] == 4
    assert all(0 <= accuracy <= 1 for accuracy in found.scores["curves"]["prior"]["query_accuracy"]["mean"])
    assert len(sampled(tmp_path)) == 4
    assert all(name.startswith("digits-") for name in sampled(tmp_path))


def test_without_descriptors_some_initializers_are_not_applicable(tmp_path: Path) -> None:
    found = done(tiny(conditioner__use="none"), tmp_path)
    assert set(found.scores["not_applicable"]) == {"nearest"}
    assert {"random", "prior"} <= set(found.scores["curves"])
    assert "nearest" not in found.scores["curves"]
    assert found.scores["not_applicable"]["nearest"] in (tmp_path / "report.md").read_text().replace("\\|", "|")
    assert done(tiny(conditioner__use="none"), tmp_path).scores == found.scores


def test_a_folder_serves_one_run_at_a_time(tmp_path: Path) -> None:
    with run_lock(tmp_path), pytest.raises(RequestError, match="another run"):
        run(tiny(), REGISTRY, tmp_path, "cpu")
    assert "scores.json" not in files(tmp_path)


def test_a_file_is_no_folder_to_run_in(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for place in ("file", "file/run"):
        with pytest.raises(RequestError, match=r"can't be a run's folder: .* choose another with --out"):
            run(tiny(), REGISTRY, tmp_path / place, "cpu")
    assert (tmp_path / "file").read_text() == "mine"


def test_the_resolved_config_has_every_default(first: Done) -> None:
    tables = tomllib.loads((first.folder / "config.toml").read_text())
    assert tables["train"]["ema"] == tiny().train.ema
    assert tables["finetune"]["support"] == 0
