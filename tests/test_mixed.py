"""A mixed zoo: one denoiser over several weight spaces, and each network's run otherwise an ordinary one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny import REGISTRY, TABLES, Heard, files, made
from typer.testing import CliRunner

from wsframework.cli.app import app
from wsframework.config.sections import Config
from wsframework.errors import NotApplicable, RequestError
from wsframework.events import Event, Observer, Progress, silent
from wsframework.mixture import Mixture
from wsframework.pipeline import train
from wsframework.pipeline.arrangement import arranged, members
from wsframework.pipeline.mixed import MixedRun
from wsframework.pipeline.mixed_plan import plan_mixed
from wsframework.pipeline.run import run
from wsframework.pipeline.run_mixed import run_mixed
from wsframework.pipeline.single import Run
from wsframework.pipeline.stage import Checkpoint
from wsframework.pipeline.train_together import Trainee, train_together
from wsframework.pipeline.zoo_alone import build_alone
from wsframework.prior import Prior
from wsframework.zoo import NoZoo

pytestmark = pytest.mark.usefixtures("undrawn")

NETWORKS: list[dict[str, Any]] = [
    {"use": "mlp", "widths": [4]},
    {"widths": [6, 6]},
    {"widths": [5], "seen": False},
    {"name": "waves", "widths": [3], "set": {"tasks.use": "sinusoids"}},
]
SMALL = {"train.steps": 6, "compare.initializers": ["random", "mean", "nearest", "prior"], "finetune.epochs": 1}
SEEN = ["mlp-4", "mlp-6-6", "waves"]


def mixed(networks: list[dict[str, Any]], **changes: Any) -> Config:
    return made({**SMALL, **{k.replace("__", "."): v for k, v in changes.items()}}, {**TABLES, "network": networks})


def whole(config: Config, out: Path, observer: Observer = silent) -> MixedRun:
    return MixedRun(config, arranged("tiny", members(config, REGISTRY), REGISTRY), REGISTRY, out, "cpu", observer)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The folder and the scores of a run of four networks, of which the zoo has three."""
    folder = tmp_path_factory.mktemp("mixed")
    return folder, run_mixed(mixed(NETWORKS), REGISTRY, folder, "cpu").scores


def priors(folder: Path) -> dict[str, Prior]:
    return {name: Prior.load(folder / name / "prior", REGISTRY) for name in [*SEEN, "mlp-5"]}


def test_every_network_has_the_run_that_it_would_have_alone(done: tuple[Path, dict[str, Any]]) -> None:
    folder, scores = done
    assert list(scores["networks"]) == list(scores["runs"]) == ["mlp-4", "mlp-6-6", "mlp-5", "waves"]
    for name in scores["networks"]:
        assert {"config.toml", "scores.json", "report.html", "prior/model.safetensors"} <= files(folder / name)
        assert (folder / name / "zoo").exists() == (name in SEEN)
    assert scores["runs"]["waves"]["metric"] != scores["runs"]["mlp-4"]["metric"]


def test_the_denoiser_is_shared_and_what_tells_of_tasks_where_these_are(done: tuple[Path, dict[str, Any]]) -> None:
    found = priors(done[0])
    for part, names in (("denoiser", list(found)), ("conditioner", ["mlp-4", "mlp-6-6", "mlp-5"])):
        states = [getattr(found[name], part).state_dict() for name in names]
        assert all(torch.equal(state[key], states[0][key]) for state in states for key in states[0])
    own = [found[name].conditioner.state_dict() for name in ("mlp-4", "waves")]
    assert any(own[0][key].shape != own[1][key].shape or not torch.equal(*(s[key] for s in own)) for key in own[0])


def test_weights_for_a_network_that_is_not_in_the_zoo_fit_it(done: tuple[Path, dict[str, Any]]) -> None:
    prior = priors(done[0])["mlp-5"]
    run = whole(mixed(NETWORKS), done[0]).runs["mlp-5"]
    weights = prior.sample(run.judged[0], 2, torch.Generator().manual_seed(0), best_of=2)
    assert weights.x.isfinite().all()
    assert weights.x.shape == (2, 2 * 5 + 5 + 5 * 2 + 2)
    prior.architecture.network(prior.shape).load_state_dict(weights[0], strict=True)


def test_what_needs_a_zoo_is_not_applicable_without(done: tuple[Path, dict[str, Any]]) -> None:
    found = done[1]["runs"]["mlp-5"]
    reason = "no network of this architecture is in the zoo"
    assert found["not_applicable"] == {"mean": reason, "nearest": reason}
    assert set(found["curves"]) == {"random", "prior", "prior (best of 3)"}
    assert found["zoo"] == {"size": 0}
    with pytest.raises(NotApplicable, match=reason):
        len(NoZoo([]))


def test_statistics_for_it_are_pooled_over_its_kin(done: tuple[Path, dict[str, Any]]) -> None:
    found = priors(done[0])
    mean, kin = found["mlp-5"].encoder, [found[name].encoder for name in ("mlp-4", "mlp-6-6")]
    for key in ("input.bias[]", "output.bias[0]"):
        ends = sorted(float(encoder.mean[encoder.place[key]]) for encoder in kin)
        assert ends[0] <= float(mean.mean[mean.place[key]]) <= ends[1]


def test_the_report_begins_with_where_the_prior_loses(done: tuple[Path, dict[str, Any]]) -> None:
    text = (done[0] / "report.md").read_text(encoding="utf-8")
    first = text.split("- ")[1]
    worse = any(
        found["before"]["train_loss"]["worse"]
        for scores in done[1]["runs"].values()
        for name, found in scores["comparisons"].items()
        if not name.startswith("prior (")
    )
    assert first.startswith("The prior loses: before any step" if worse else "Nowhere is the prior's support loss")
    assert "mlp-5 (not in the zoo)" in text
    assert "mean, nearest for mlp-5" in text


def test_what_is_done_is_kept(done: tuple[Path, dict[str, Any]]) -> None:
    heard = Heard()
    whole(mixed(NETWORKS), done[0], heard).gather()
    assert heard.reused() == set(heard.finished) > {"prior", "mlp-5: prior", "mlp-4: zoo"}


def test_one_more_network_that_is_not_in_the_zoo_costs_no_training(done: tuple[Path, dict[str, Any]]) -> None:
    more = whole(mixed([*NETWORKS, {"widths": [7], "seen": False}]), done[0])
    assert more.made_from == whole(mixed(NETWORKS), done[0]).made_from
    assert more.made_from != whole(mixed([*NETWORKS, {"widths": [7]}]), done[0]).made_from


def test_a_plan_names_every_stage_and_writes_nothing(done: tuple[Path, dict[str, Any]]) -> None:
    config = mixed([NETWORKS[0], NETWORKS[2]], compare__initializers=["prior"], compare__best_of=[])
    places = arranged("tiny", members(config, REGISTRY), REGISTRY)
    before = files(done[0])
    stages = {stage.name: stage for stage in plan_mixed(config, places, REGISTRY, done[0], "cpu")}
    assert files(done[0]) == before
    assert list(stages) == [
        "prior",
        *(f"mlp-4: {stage}" for stage in ("zoo", "initialize-prior", "finetune-prior", "audit", "pictures")),
        *(f"mlp-5: {stage}" for stage in ("prior", "initialize-prior", "finetune-prior", "pictures")),
    ]
    assert (stages["prior"].kept, stages["mlp-4: zoo"].kept) == (0, 1)


def test_the_command_samples_for_the_network_that_is_named(done: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    rows = [f"{i % 5},{i % 7},{i % 2}" for i in range(24)]
    (tmp_path / "task.csv").write_text("\n".join(["a,b,label", *rows]), encoding="utf-8")
    words = ["sample", str(done[0]), "--data", str(tmp_path / "task.csv"), "-o", str(tmp_path / "x.safetensors")]
    assert CliRunner().invoke(app, [*words, "--network", "mlp-5"]).exit_code == 0
    for network, told in (([], "name one"), (["--network", "mlp5"], "did you mean 'mlp-5'?")):
        answer = CliRunner().invoke(app, [*words, *network])
        assert answer.exit_code == 2
        assert told in answer.output


def test_with_one_member_its_prior_is_that_of_the_network_alone_bit_for_bit(tmp_path: Path) -> None:
    config = mixed(NETWORKS[:1], train__output_weight=1.0)
    alone = Run(replace(config, mix=()), REGISTRY, tmp_path / "alone", "cpu").prior.state_dict()
    together = whole(config, tmp_path / "mixed").runs["mlp"].prior.state_dict()
    assert all(torch.equal(a, b) for a, b in zip(alone.values(), together.values(), strict=True))


@pytest.mark.slow
def test_with_one_member_it_is_the_run_of_that_network_number_by_number(tmp_path: Path) -> None:
    changes = {"repeats": 2, "compare__initializers": ["random", "prior"]}
    alone = run(replace(mixed(NETWORKS[:1], **changes), mix=()), REGISTRY, tmp_path / "alone", "cpu").scores
    one = run_mixed(mixed(NETWORKS[:1], **changes), REGISTRY, tmp_path / "mixed", "cpu").scores
    assert one["runs"]["mlp"]["curves"] == alone["curves"]
    assert {"seed-0/mlp/report.html", "seed-1/report.html", "mlp/report.html"} <= files(tmp_path / "mixed")


def test_a_stop_in_the_middle_of_training_changes_nothing(
    done: tuple[Path, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train, "EVERY", 2)
    monkeypatch.setattr(train, "TOLD", 1)
    mixed_run = whole(mixed(NETWORKS, train__epochs=1, train__steps=0, train__augment=True), done[0])
    trainees = {
        name: Trainee(r.design, r.zoo, mixed_run.places[name].place, mixed_run.places[name].described_as)
        for name, r in mixed_run.runs.items()
        if name in SEEN
    }

    def trained(*, stop: int = 0) -> dict[str, Prior]:
        def stopping(event: Event) -> None:
            if isinstance(event, Progress) and event.done == stop:
                raise KeyboardInterrupt

        checkpoint = Checkpoint(tmp_path / f"{bool(stop)}.safetensors", "mixed") if stop >= 0 else None
        return train_together(trainees, REGISTRY, mixed_run.config.train, 0, checkpoint=checkpoint, observer=stopping)

    wanted = trained(stop=-1)
    with pytest.raises(KeyboardInterrupt):
        trained(stop=5)
    found = trained(stop=10**9)
    for name in SEEN:
        states = [priors[name].state_dict().values() for priors in (wanted, found)]
        assert all(torch.equal(a, b) for a, b in zip(*states, strict=True))


class Fixed:
    """A curriculum that only has networks left."""

    def __init__(self, left: list[int]) -> None:
        self.left = torch.tensor(left, dtype=torch.long)


def test_members_are_drawn_as_often_as_they_have_networks_and_keep_what_is_left() -> None:
    curricula: Any = [Fixed([4, 2]), Fixed([]), Fixed([7])]
    mixture = Mixture(curricula, [10, 20, 70], torch.Generator().manual_seed(0))
    counts = torch.bincount(torch.tensor([mixture._draw() for _ in range(2000)]), minlength=3) / 2000
    assert torch.allclose(counts, torch.tensor([0.1, 0.2, 0.7]), atol=0.05)
    kept = mixture.left
    for curriculum in curricula:
        curriculum.left = torch.zeros(5)
    mixture.left = kept
    assert [curriculum.left.tolist() for curriculum in curricula] == [[4, 2], [], [7]]


def test_each_way_to_run_says_which_configs_it_is_for(tmp_path: Path) -> None:
    config = mixed(NETWORKS[:1])
    with pytest.raises(RequestError, match="`run_mixed` runs them"):
        run(config, REGISTRY, tmp_path, "cpu")
    with pytest.raises(RequestError, match="`run` runs it"):
        run_mixed(replace(config, mix=()), REGISTRY, tmp_path, "cpu")
    with pytest.raises(RequestError, match="each zoo lies in the run's folder"):
        build_alone(config, REGISTRY, tmp_path)
