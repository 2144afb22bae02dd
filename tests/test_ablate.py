"""An ablation is its variants' own runs, on shared zoos, set side by side."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny import REGISTRY, TABLES, Heard, files, made, tiny, without_cost
from typer.testing import CliRunner

from wsframework.cli.app import app
from wsframework.config.reading import read_config
from wsframework.config.resolving import resolve
from wsframework.config.sections import Config
from wsframework.config.writing import to_tables, to_toml
from wsframework.engines import local, work
from wsframework.errors import ConfigError, RequestError
from wsframework.parts.entrypoints import load_registry
from wsframework.parts.interfaces import TaskFamily
from wsframework.pipeline.ablate import ablate
from wsframework.pipeline.report.ablation import turned, variants_table, write_ablation_report
from wsframework.pipeline.report.drawing import saved
from wsframework.pipeline.report.numbers import number
from wsframework.pipeline.run import run
from wsframework.pipeline.variants import variants
from wsframework.tasks import TaskSplits

pytestmark = pytest.mark.usefixtures("undrawn")
MODELS = {
    "coordinate + mlp_unet": {"encoder.use": "coordinate", "denoiser.use": "mlp_unet", "denoiser.width": 8},
    "orbit + deepsets": {"encoder.use": "orbit"},
}
SIZES = {str(n): {"zoo.size": n, "tasks.seen": n} for n in (8, 16)}
SMALL = {"zoo.block": 6, "compare.initializers": ["random", "prior"], "finetune.epochs": 1}
CONFIG = made({**SMALL, "ablate": {"model": MODELS, "networks": SIZES}})
NAMES = [f"{model}, {size}" for model in MODELS for size in SIZES]


class Built:
    """Counts the blocks of networks that are trained, all in this process, however busy the machine is."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.blocks = 0
        train = work.train_block

        def counted(*values: Any) -> Any:
            self.blocks += 1
            return train(*values)

        monkeypatch.setattr(work, "train_block", counted)
        monkeypatch.setattr(local, "WORTH", math.inf)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], int]:
    """The folder and the scores of an ablation, and how many blocks it trained."""
    folder = tmp_path_factory.mktemp("ablation")
    with pytest.MonkeyPatch.context() as patched:
        built = Built(patched)
        result = ablate(CONFIG, REGISTRY, folder, "cpu")
    assert result.report == folder / "report.html"
    return folder, result.scores, built.blocks


def test_the_grid_is_the_product_of_the_axes() -> None:
    found = variants(CONFIG, REGISTRY)
    assert [v.name for v in found] == NAMES
    for variant in found:
        config, size = variant.config, int(variant.labels["networks"])
        assert f"{config.encoder.use} + {config.denoiser.use}" == variant.labels["model"]
        assert config.zoo.size == config.tasks.seen == size
        assert config.name == variant.folder
        assert not config.ablate
        assert replace(config, name="", tasks=CONFIG.tasks, zoo=CONFIG.zoo) == replace(
            CONFIG, name="", ablate={}, encoder=config.encoder, denoiser=config.denoiser
        )


def test_values_of_a_key_are_an_axis_too() -> None:
    config = made({"ablate": {"train.lr": [0.1, 0.2], "denoiser": {"use": ["deepsets", "graph"]}}})
    found = variants(config, REGISTRY)
    pairs = [(v.config.train.lr, v.config.denoiser.use) for v in found]
    assert pairs == [(0.1, "deepsets"), (0.1, "graph"), (0.2, "deepsets"), (0.2, "graph")]
    assert len({v.name for v in found}) == len({v.folder for v in found}) == 4
    assert all("lr" in v.name for v in found)


def test_some_variants_only() -> None:
    assert [v.name for v in variants(CONFIG, REGISTRY, NAMES[2:])] == NAMES[2:]
    with pytest.raises(RequestError, match="no variant 'orbit \\+ deepsets, 61'; did you mean"):
        variants(CONFIG, REGISTRY, ["orbit + deepsets, 61"])


def test_two_axes_may_not_set_one_key() -> None:
    config = made({"ablate": {"networks": SIZES, "zoo.size": [4]}})
    with pytest.raises(ConfigError, match=r"'8'.* and .*more than one of them sets zoo\.size"):
        variants(config, REGISTRY)


def test_folders_are_told_apart() -> None:
    config = made({"ablate": {"rate": {"a b": {"train.lr": 0.1}, "a/b": {"train.lr": 0.2}}}})
    with pytest.raises(ConfigError, match="share the folder 'a-b'"):
        variants(config, REGISTRY)


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({"model": {}}, r"\[ablate.model\] is empty"),
        ({"trian": {"lr": [0.1]}}, "ablate.trian.lr = .*: a config has no section 'trian'; did you mean 'train'"),
        ({"model": {"set": {"denoiser.use": "deepset"}}}, "ablate.model.set: .*did you mean 'deepsets'"),
        ({"model": {"set": {"zoo": {"sise": 3}}}}, "ablate.model.set: zoo.sise = 3: .*did you mean 'size'"),
    ],
)
def test_a_mistake_has_its_sentence(table: dict[str, Any], sentence: str) -> None:
    config, mistakes = resolve({**TABLES, "ablate": table}, REGISTRY)
    assert config is None
    with pytest.raises(ConfigError, match=sentence):
        raise ConfigError("trial", mistakes)


def test_named_variants_are_written_as_they_are_read(tmp_path: Path) -> None:
    (tmp_path / "tiny.toml").write_text(to_toml(CONFIG))
    assert read_config(tmp_path / "tiny.toml", REGISTRY) == CONFIG
    nested = {"model": {name: {"encoder": {"use": keys["encoder.use"]}} for name, keys in MODELS.items()}}
    flat = {"model": {name: {"encoder.use": keys["encoder.use"]} for name, keys in MODELS.items()}}
    assert made({"ablate": nested}) == made({"ablate": flat})


def test_every_zoo_is_trained_once(done: tuple[Path, dict[str, Any], int]) -> None:
    folder, scores, blocks = done
    assert blocks == 3, "16 networks in blocks of 6"
    assert len(list((folder / "zoos").iterdir())) == 1
    assert not list(folder.glob("*/zoo"))
    assert [scores["variants"][name]["zoo_size"] for name in NAMES] == [8, 16, 8, 16]


def test_a_variant_is_the_run_that_it_would_be_alone(done: tuple[Path, dict[str, Any], int], tmp_path: Path) -> None:
    folder, scores, _ = done
    for variant in variants(CONFIG, REGISTRY)[:3:2]:
        alone = run(variant.config, REGISTRY, tmp_path / variant.folder, "cpu").scores
        assert without_cost(scores["runs"][variant.name]) == without_cost(alone)
        assert json.loads((folder / variant.folder / "scores.json").read_text()) == scores["runs"][variant.name]
        assert scores["curves"][variant.name] == alone["curves"]["prior"]
        assert files(tmp_path / variant.folder) - files(folder / variant.folder) == {
            file for file in files(tmp_path / variant.folder) if file.startswith("zoo/")
        }


def test_the_rows_of_the_table_are_the_runs(done: tuple[Path, dict[str, Any], int]) -> None:
    folder, scores, _ = done
    table = variants_table(scores)
    assert table.columns[:2] == ("model", "networks")
    rows = {", ".join(cell.text for cell in row.cells[:2]): row.cells for row in table.rows}
    assert list(rows) == NAMES
    for name, cells in rows.items():
        alone = scores["runs"][name]
        texts = dict(zip(table.columns, (cell.text for cell in cells), strict=True))
        loss = alone["curves"]["prior"]["train_loss"]["mean"]
        assert texts["loss before any step"] == number(loss[0])
        assert texts["after epoch 1"] == number(loss[1])
        best = alone["curves"]["prior (best of 3)"]["train_loss"]["mean"][0]
        assert texts["best of 3, before"] == number(best)
        assert texts["denoiser parameters"] == f"{alone['prior']['denoiser_parameters']:,}"
        assert scores["variants"][name]["prior_seconds"] == alone["cost"]["prior"]["seconds"]
        assert name in (folder / "report.html").read_text()
    assert [figure.name for figure in (folder / "figures").iterdir()] == ["ablation.png"]


def test_the_figure_is_drawn(done: tuple[Path, dict[str, Any], int], tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("wsframework.pipeline.report.drawing.saved", saved)
        write_ablation_report(done[1], tmp_path)
    assert (tmp_path / "figures" / "ablation.png").stat().st_size > 0


def test_comparisons_are_with_the_first_and_paired(done: tuple[Path, dict[str, Any], int]) -> None:
    _, scores, _ = done
    assert scores["reference"] == NAMES[0]
    assert set(scores["comparisons"]) == set(NAMES[1:])
    for name in NAMES[1:]:
        found = scores["comparisons"][name]["before"]["train_loss"]
        ours = turned(found)
        assert ours["times"] * found["times"] == pytest.approx(1)
        assert ours["times_low"] <= ours["times"] <= ours["times_high"]
        assert (ours["better"], ours["worse"]) == (found["worse"], found["better"])


@pytest.mark.slow
def test_again_all_is_reused(done: tuple[Path, dict[str, Any], int], monkeypatch: pytest.MonkeyPatch) -> None:
    folder, scores, _ = done
    heard, built = Heard(), Built(monkeypatch)
    assert ablate(CONFIG, REGISTRY, folder, "cpu", heard).scores == scores
    assert heard.reused() == set(heard.finished)
    assert all(
        event.sentence.startswith(stage.split(": ")[0]) for stage, event in heard.finished.items() if stage != "zoo"
    )
    assert built.blocks == 0


@pytest.mark.slow
def test_what_is_missing_is_made(done: tuple[Path, dict[str, Any], int]) -> None:
    folder, scores, _ = done
    (folder / variants(CONFIG, REGISTRY)[1].folder / "stages" / "prior.json").unlink()
    (folder / variants(CONFIG, REGISTRY)[3].folder / "curves" / "prior.safetensors").unlink()
    heard = Heard()
    again = ablate(CONFIG, REGISTRY, folder, "cpu", heard).scores
    anew = set(heard.finished) - heard.reused()
    assert anew == {f"{NAMES[1]}: prior", f"{NAMES[3]}: finetune-prior"}
    assert again["curves"] == scores["curves"]


@pytest.mark.slow
def test_another_recipe_gets_another_zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rates = {"fast": {"zoo.lr": 0.1, "zoo.size": 6}, "slow": {"zoo.lr": 0.01, "zoo.size": 6}, "same": {"zoo.size": 5}}
    config, built = made({**SMALL, "ablate": {"networks": rates}}), Built(monkeypatch)
    scores = ablate(config, REGISTRY, tmp_path, "cpu").scores
    assert config.zoo.lr == 0.01
    assert built.blocks == len(list((tmp_path / "zoos").iterdir())) == 2
    losses = {name: scores["runs"][name]["zoo"]["train_loss"] for name in rates}
    assert losses["fast"] != losses["slow"]


class Fickle(REGISTRY.get("task_family", "gaussians")):  # type: ignore[misc]
    """The seen tasks in an order that depends on their number."""

    name = "fickle"

    def draw(self, seen: int, validation: int, held_out: int, generator: torch.Generator) -> TaskSplits:
        found = super().draw(seen, validation, held_out, generator)
        return replace(found, seen=found.seen[::-1])


@pytest.mark.slow
def test_zoos_of_other_tasks_are_not_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registry = load_registry()
    registry.add(Fickle, "test")
    assert issubclass(Fickle, TaskFamily)
    config, built = replace(CONFIG, ablate={"networks": SIZES}), Built(monkeypatch)
    config = replace(config, tasks=replace(config.tasks, part=replace(config.tasks.part, use="fickle")))
    scores = ablate(config, registry, tmp_path, "cpu").scores
    assert built.blocks == 2 + 3
    (_, last) = variants(config, registry)
    alone = run(last.config, registry, tmp_path / "alone", "cpu").scores
    assert without_cost(scores["runs"][last.name]) == without_cost(alone)


@pytest.mark.parametrize("key", ["tasks.points", "tasks.separation"])
def test_variants_on_other_tasks_are_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(RequestError, match=r"= 9\.?0?' would be judged on other tasks than the first"):
        ablate(made({**SMALL, "ablate": {key: [8, 9]}}), REGISTRY, tmp_path, "cpu")
    assert not list(tmp_path.glob("zoos/*")), "refused before any work"


def test_without_the_prior_there_is_nothing_to_compare(tmp_path: Path) -> None:
    config = made({"compare.initializers": ["random"], "ablate": {"train.lr": [0.1]}})
    with pytest.raises(RequestError, match=r"add 'prior' to compare\.initializers"):
        ablate(config, REGISTRY, tmp_path, "cpu")


@pytest.mark.slow
def test_several_seeds_are_pooled(tmp_path: Path) -> None:
    config = made({**SMALL, "repeats": 2, "zoo.size": 6, "ablate": {"train.lr": [0.01, 0.02]}})
    scores = ablate(config, REGISTRY, tmp_path, "cpu").scores
    assert scores["n"] == 16
    assert len(list((tmp_path / "zoos").iterdir())) == 2, "one for each seed"
    for variant in variants(config, REGISTRY):
        assert {"seed-0", "seed-1", "scores.json"} <= {p.name for p in (tmp_path / variant.folder).iterdir()}


def test_run_leaves_ablations_alone(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"has an \[ablate\] table"):
        run(CONFIG, REGISTRY, tmp_path, "cpu")


@pytest.mark.slow
def test_the_command_prints_the_path_of_the_report(done: tuple[Path, dict[str, Any], int], tmp_path: Path) -> None:
    folder, _, _ = done
    (tmp_path / "tiny.toml").write_text(to_toml(CONFIG))
    told = CliRunner().invoke(app, ["run", str(tmp_path / "tiny.toml"), "--out", str(folder), "--device", "cpu"])
    assert told.exit_code == 0, told.output
    assert told.stdout.strip() == str(folder / "report.html")


def test_the_example_crosses_three_models_with_three_sizes() -> None:
    config: Config = read_config(Path(__file__).parent.parent / "examples" / "ablation.toml", REGISTRY)
    found = variants(config, REGISTRY)
    assert len(found) == 9
    assert {v.config.denoiser.use for v in found} == {"mlp_unet", "deepsets", "graph"}
    assert {v.config.encoder.use for v in found if v.config.denoiser.use == "mlp_unet"} == {"coordinate"}
    assert {v.config.zoo.size for v in found} == {v.config.tasks.seen for v in found} == {20, 1000, 10000}
    assert to_tables(found[0].config)["tasks"]["use"] == tiny().tasks.part.use
