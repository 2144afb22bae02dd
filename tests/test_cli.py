"""The command line: what goes to stdout, what to stderr, and how each kind of failure leaves it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from parts_for_tests import Deepsets, small_registry
from rich.console import Console
from typer.testing import CliRunner

import wsframework
from wsframework import benchmarks
from wsframework.benchmarks import Row, Table
from wsframework.cli.app import app
from wsframework.cli.finding import find
from wsframework.cli.story import Story
from wsframework.config.sections import Config
from wsframework.errors import PartError, StoreError
from wsframework.events import Finished, Progress
from wsframework.parts import entrypoints

SMALLEST = "tasks = {use='gaussians', seen=20}\nzoo.size = 10\ntrain.steps = 10\nfinetune.epochs = 2\n"


@dataclass(frozen=True)
class Result:
    report: Path
    scores: dict[str, Any]


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch):
    """The small registry in place of the installed plugins."""
    registry = small_registry()
    monkeypatch.setattr(entrypoints, "load_registry", lambda: registry)
    return registry


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(SMALLEST)
    return path


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Config, Path, str]]:
    """Calls of `run` and `ablate`, which tell a story of two events instead of working."""
    calls: list[tuple[str, Config, Path, str]] = []

    def worker(name: str) -> Callable[..., Result]:
        def work(config: Config, registry: object, out: Path, device: str, observer: Callable[..., None]) -> Result:
            calls.append((name, config, out, device))
            observer(Progress("zoo", 3, 10, "networks"))
            observer(Finished("zoo", "Built the zoo of 10 networks.", 1.25))
            return Result(out / "report.html", {"seed": config.seed})

        return work

    for name in ("run", "ablate"):
        monkeypatch.setattr(f"wsframework.pipeline.{name}.{name}", worker(name))
    return calls


def wsf(*words: object) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words])


def fail_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def run(*_: object) -> None:
        raise error

    monkeypatch.setattr("wsframework.pipeline.run.run", run)


def test_run_prints_the_report_and_nothing_else(config: Path, work: list) -> None:
    result = wsf("run", config)
    assert result.exit_code == 0
    assert result.stdout == f"{Path('runs/small/report.html')}\n"
    assert "Built the zoo of 10 networks. (1.2 s)" in result.stderr


def test_run_prints_scores_as_json(config: Path, work: list, tmp_path: Path) -> None:
    result = wsf("run", config, "--json", "--seed", 7, "--out", tmp_path / "here", "--device", "cpu")
    assert json.loads(result.stdout) == {"seed": 7}
    assert [(name, out, device) for name, _, out, device in work] == [("run", tmp_path / "here", "cpu")]


def test_run_takes_changes(config: Path, work: list) -> None:
    wsf("run", config, "--set", "train.lr=0.5", "--set", "denoiser.use=graph")
    (_, asked, _, _) = work[0]
    assert (asked.train.lr, asked.denoiser.use) == (0.5, "graph")


def test_a_config_with_ablations_is_ablated(config: Path, work: list) -> None:
    config.write_text(SMALLEST + "ablate.train.lr = [0.1, 0.2]\n")
    assert wsf("run", config).exit_code == 0
    assert [name for name, *_ in work] == ["ablate"]


def test_a_wrong_config_leaves_with_2_before_any_work(config: Path, work: list) -> None:
    config.write_text(SMALLEST + "trian.steps = 3\nsede = 1\n")
    result = wsf("run", config)
    assert (result.exit_code, result.stdout, work) == (2, "", [])
    assert "2 mistakes" in result.stderr
    assert "did you mean 'train'?" in result.stderr


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (StoreError("the zoo can't be read back"), 1, "wsf: the zoo can't be read back\n"),
        (PartError("there is no such part"), 2, "wsf: there is no such part\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_each_failure_has_its_exit_code(
    config: Path, work: list, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, words: str
) -> None:
    fail_with(monkeypatch, error)
    result = wsf("run", config)
    assert (result.exit_code, result.stdout) == (code, "")
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_a_defect_is_not_hidden(config: Path, work: list, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(monkeypatch, ZeroDivisionError("a defect"))
    assert isinstance(wsf("run", config).exception, ZeroDivisionError)


@pytest.mark.parametrize("words", [("run",), ("rnu",), ("run", "x.toml", "--device", "tpu"), ("show",), ("--nope",)])
def test_wrong_usage_leaves_with_2(words: tuple[str, ...]) -> None:
    assert wsf(*words).exit_code == 2


def test_plugins_lists_every_part(registry: Any) -> None:
    result = wsf("plugins")
    assert result.exit_code == 0
    for part in registry.all():
        assert part.name in result.stdout


def test_plugins_reads_well_in_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = wsf("plugins").stdout.splitlines()
    assert max(map(len, lines)) <= 80
    text = " ".join(" ".join(lines).split())
    for part in entrypoints.load_registry().all():
        summary = (part.__doc__ or "").splitlines()[0].replace("``", "")
        assert f"{part.kind}:{part.name} {summary}" in text
        (line,) = [line for line in lines if line.split()[:1] == [f"{part.kind}:{part.name}"]]
        assert len(line.rstrip()) > 50 or line.rstrip().endswith(".")


def test_plugins_names_the_broken_and_leaves_with_0(registry: Any) -> None:
    registry.broken["shattered"] = "module 'm' [1] can't be loaded"
    result = wsf("plugins")
    assert result.exit_code == 0
    assert "broken shattered: module 'm' [1] can't be loaded" in result.stdout
    found = json.loads(wsf("plugins", "--json").stdout)
    assert found["broken"] == registry.broken
    assert {(p["kind"], p["name"]) for p in found["parts"]} == {(p.kind, p.name) for p in registry.all()}


def test_show_tells_all_of_a_part() -> None:
    out = wsf("show", "orbit").stdout
    for words in ("encoder:orbit from plugin small", "Keeps what it is given.", "equivariant", "A paper of 2024"):
        assert words in out
    assert "floor   a number larger than 0  0.0001" in out
    assert "it has no options" not in out


def test_show_writes_defaults_as_a_config_does() -> None:
    out = wsf("show", "mlp").stdout
    assert "[32]" in out
    assert '"relu"' in out
    assert "true" in wsf("show", "deepsets").stdout


def test_show_finds_parts_by_kind_where_names_repeat(registry: Any) -> None:
    class Prior(Deepsets):
        """A denoiser with the name of an initializer."""

        name = "prior"

    registry.add(Prior, "second")
    assert find(registry, "denoiser:prior") is find(registry, "denoiser/prior") is Prior
    with pytest.raises(PartError, match="denoiser:prior, initializer:prior"):
        find(registry, "prior")


def test_show_of_no_part_offers_the_nearest() -> None:
    result = wsf("show", "depsets")
    assert result.exit_code == 2
    assert result.stderr == "wsf: there is no part 'depsets'; did you mean 'deepsets'?\n"


def test_version() -> None:
    assert wsf("--version").stdout.strip() == wsframework.__version__


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> Table:
    """A benchmark called ``counting``."""
    rows = (Row("counting", 100.0, "numbers/s", "a clock", 0.5), Row("rival", None, "", note="not installed"))
    table = Table("counting on one thread", rows)
    module = ModuleType("wsframework.benchmarks.counting")
    module.run = lambda: table  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(benchmarks, "names", lambda: ("counting",))
    return table


def test_bench_prints_a_table_or_json(counting: Table) -> None:
    out = wsf("bench", "counting").stdout
    for words in ("counting on one thread", "100 numbers/s", "a clock", "0.50", "missing", "not installed"):
        assert words in out
    found = json.loads(wsf("bench", "counting", "--json").stdout)
    assert [row["value"] for row in found["rows"]] == [100.0, None]
    assert wsf("bench").stdout.split() == ["counting"]


def test_bench_has_a_column_for_the_bound_where_there_is_one(counting: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "of the bound" not in wsf("bench", "counting").stdout
    bounded = Table("bounded", (replace(counting.rows[0], bound=0.123), counting.rows[0]))
    monkeypatch.setattr(benchmarks, "benchmark", lambda _: lambda: bounded)
    out = wsf("bench", "counting").stdout
    assert "of the bound" in out
    assert "0.12" in out


def test_bench_of_no_benchmark_offers_the_nearest(counting: Table) -> None:
    result = wsf("bench", "countign")
    assert result.exit_code == 2
    assert "did you mean 'counting'" in result.stderr


def test_the_bar_is_there_while_a_stage_goes_on_and_leaves_no_trace() -> None:
    file = StringIO()
    with Story(Console(file=file, force_terminal=True, width=100)) as story:
        story(Progress("train", 30, 120, "steps", "loss 0.5"))
        story._progress.refresh()
        during = file.getvalue()
        story(Finished("train", "Trained the prior.", 4.0, reused=True))
        story._progress.refresh()
        shown = len(file.getvalue())
    assert "30/120" in during
    assert "loss 0.5" in during
    assert "Trained the prior." in file.getvalue()
    assert "kept from before; it took 4.0 s" in file.getvalue()
    assert "30/120" not in file.getvalue()[shown:]
