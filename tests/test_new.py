"""``wsf new plugin``: for every kind a distribution that is green untouched, or a sentence and nothing written."""

from __future__ import annotations

import importlib.util
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tiny import REGISTRY, TABLES
from typer.testing import CliRunner

from wsframework.cli.app import app
from wsframework.cli.distribution import CHANGES, Distribution
from wsframework.config.changing import changed, parse_changes
from wsframework.config.resolving import resolve
from wsframework.parts.interfaces import INTERFACES, Part
from wsframework.parts.registry import Registry
from wsframework.pipeline.report.contents import Figure
from wsframework.pipeline.run import run
from wsframework.testing import Subject, judge
from wsframework.testing.promises import CHECKS

NAME = "my-own_part2"
RULES = "E,F,W,I,B,UP,SIM,C4,PT,RUF,D1,PTH,ARG"

by_kind = pytest.mark.parametrize("kind", INTERFACES)


def wsf(*words: object) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A distribution of every kind, each in a folder of its own."""
    out = tmp_path_factory.mktemp("new")
    found = {}
    for kind in INTERFACES:
        result = wsf("new", "plugin", NAME, "--kind", kind, "--out", out / kind)
        assert (result.exit_code, result.stdout) == (0, f"{out / kind / NAME}\n"), result.output
        found[kind] = Path(result.stdout.strip())
    return found


@pytest.fixture
def without_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing takes most of the time of a tiny run, and has tests of its own."""
    monkeypatch.setattr("wsframework.pipeline.report.drawing.saved", lambda *_, **__: Figure("", "", b"<svg/>"))


def module(folder: Path) -> ModuleType:
    """The distribution's module, under a name that no other has."""
    spec = importlib.util.spec_from_file_location(f"new_{folder.parent.name}", folder / "wsf_my_own_part2.py")
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    sys.modules[found.__name__] = found
    spec.loader.exec_module(found)
    return found


def part(folder: Path) -> type[Part]:
    (found,) = module(folder).wsf_parts()
    return found


@by_kind
def test_a_new_plugin_keeps_every_promise(kind: str, folders: dict[str, Path]) -> None:
    found = list(judge(Subject(part(folders[kind]), examples=5, registry=REGISTRY)))
    assert [finding.check for finding in found] == [check.name for check in (*CHECKS["part"], *CHECKS[kind])]
    unclaimed = {"it claims no symmetry", "it claims nothing of gauges"}
    assert [(f.check, f.detail) for f in found if f.verdict != "holds" and f.detail not in unclaimed] == []


@by_kind
def test_a_new_part_has_an_option_that_is_explained(kind: str, folders: dict[str, Path]) -> None:
    found = part(folders[kind])
    assert (found.kind, found.name, found.__name__) == (kind, NAME, "MyOwnPart2")
    assert found.options()


@by_kind
def test_a_new_plugin_is_a_distribution(kind: str, folders: dict[str, Path]) -> None:
    folder = folders[kind]
    assert {path.name for path in folder.iterdir()} - {"__pycache__"} == {
        "README.md",
        "pyproject.toml",
        "test_my_own_part2.py",
        "wsf_my_own_part2.py",
    }
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert project["name"] == "wsf-my-own-part2"
    assert project["dependencies"] == ["wsframework>=0.1,<0.2"]
    assert project["entry-points"] == {"wsframework": {NAME: "wsf_my_own_part2"}}
    readme = (folder / "README.md").read_text()
    assert f"wsf check {kind}:{NAME}" in readme
    use = f"--set {CHANGES[kind].format(name=NAME)}" if kind in CHANGES else f'wsf.Regressor(features="{NAME}")'
    assert use in readme


def test_new_plugins_are_clean(folders: dict[str, Path]) -> None:
    out = folders["denoiser"].parent.parent
    for words in (("check", "--select", RULES, "--ignore", "D107,ARG002"), ("format", "--check")):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *words, "--no-cache", "."], cwd=out, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_test_of_a_new_plugin_passes(folders: dict[str, Path]) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "ignore"]
    done = subprocess.run(command, cwd=folders["task_family"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(CHECKS['part']) + len(CHECKS['task_family'])} passed" in done.stdout


@pytest.mark.parametrize("kind", CHANGES)
def test_a_new_plugin_serves_a_run(kind: str, folders: dict[str, Path], tmp_path: Path, without_figures: None) -> None:
    registry, mistakes = Registry(), []
    for plugin, parts in REGISTRY.plugins.items():
        registry.add_all(parts, plugin)
    registry.add(part(folders[kind]), NAME)
    (change,) = shlex.split(CHANGES[kind].format(name=NAME))
    changes = parse_changes((change, "train.steps=2", "finetune.epochs=1"), mistakes)
    config, further = resolve(changed(TABLES, changes, mistakes), registry)
    assert config is not None, mistakes + further
    assert run(config, registry, tmp_path, "cpu").scores


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("own", "--kind", "denosier"), "'denosier' is no kind of part; did you mean 'denoiser'?"),
        (("Own", "--kind", "denoiser"), "'Own' is no name of a part"),
        (("../own", "--kind", "denoiser"), "'../own' is no name of a part"),
        (("graph", "--kind", "denoiser"), "plugin 'graph' has a denoiser 'graph' already"),
        (("initializers", "--kind", "denoiser"), "there is a plugin 'initializers' already"),
        (("shadowed", "--kind", "encoder"), "there is a module 'wsf_shadowed' already"),
        (("there", "--kind", "encoder"), "there exists already"),
        (("own", "--kind", "encoder", "--out", "file"), "the folder file/own can't be written"),
    ],
)
def test_what_can_not_be_is_refused_and_nothing_written(
    words: tuple[str, ...], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "there").mkdir()
    for file in ("file", "wsf_shadowed.py"):
        (tmp_path / file).touch()
    before = set(tmp_path.rglob("*"))
    result = wsf("new", "plugin", *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert sentence in result.stderr
    assert set(tmp_path.rglob("*")) == before


def test_a_folder_that_fails_half_way_is_not_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Distribution("own", "encoder").files()
    monkeypatch.setattr(Distribution, "files", lambda self: {**whole, "no/such/folder": ""})
    assert wsf("new", "plugin", "own", "--kind", "encoder", "--out", tmp_path).exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_the_command_offers_every_kind_and_can_put_each_to_use() -> None:
    words = wsf("new", "plugin", "--help").stdout
    assert [kind for kind in INTERFACES if kind not in words] == []
    assert set(CHANGES) == set(INTERFACES) - {"features"}


@pytest.mark.parametrize("name", ["none", "part", "tensor", "denoiser", "film"])
def test_a_class_shadows_nothing(name: str) -> None:
    text = Distribution(name, "denoiser").files()[f"wsf_{name}.py"]
    space: dict[str, Any] = {"__name__": f"wsf_{name}"}
    exec(compile(text, f"wsf_{name}.py", "exec"), space)
    (found,) = space["wsf_parts"]()
    assert found.__name__ == f"{name.capitalize()}Part"
