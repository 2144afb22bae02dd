"""``wsf check``: parts, plugins, modules and files are found and judged; what is asked wrongly is a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import wsf_conditioners
from typer.testing import CliRunner, Result

from wsframework.cli.app import app

HONEST = '''
from torch import nn
from wsframework import Scheduler

class Straight(Scheduler):
    """A straight line from data to noise, which is no variance-preserving process.

    Options:
        levels: of the training grid.
    """

    name = "straight"
    variance_preserving = {preserving}

    def __init__(self, *, levels: int = 20) -> None:
        self.levels = levels

    def alpha_sigma(self, t):
        return 1 - 0.999 * t, t

    def times(self, steps=None):
        from torch import linspace
        return linspace(1, 0, (steps or self.levels) + 1)

    def step(self, denoise, x_t, t, s, carry, generator):
        (alpha_t, sigma_t), (alpha_s, sigma_s) = self.alpha_sigma(t), self.alpha_sigma(s)
        x_0 = denoise(x_t, t)
        return alpha_s * x_0 + sigma_s * (x_t - alpha_t * x_0) / sigma_t, None
'''


def check(*words: str) -> Result:
    return CliRunner().invoke(app, ["check", *words, "--examples", "3"])


def findings(*words: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(check(*words, "--json").stdout)
    return found


def module(folder: Path, name: str, preserving: bool) -> Path:
    path = folder / f"{name}.py"
    path.write_text(HONEST.format(preserving=preserving))
    return path


def test_a_part_that_keeps_its_promises_passes() -> None:
    done = check("orbit")
    assert done.exit_code == 0, done.output
    assert "encoder:orbit" in done.stdout
    assert "promises hold, 0 are refuted" in done.stdout


def test_json_has_a_row_for_each_check() -> None:
    rows = findings("denoiser:mlp_unet", "--set", "width=16")
    assert {row["verdict"] for row in rows} == {"holds", "does not apply"}
    assert [row["check"] for row in rows if row["verdict"] != "holds"] == ["claim", "gauges"]
    assert {row["part"] for row in rows} == {"mlp_unet(width=16)"}
    assert {"kind", "promise", "detail", "seconds"} < set(rows[0])


def test_a_plugin_means_all_its_parts() -> None:
    parts = {part.name for part in wsf_conditioners.wsf_parts()}
    assert {row["part"] for row in findings("plugin:conditioners", "--examples", "1")} == parts
    assert {row["part"] for row in findings("conditioners", "--examples", "1")} == parts


def test_a_file_is_judged_without_being_installed(tmp_path: Path) -> None:
    assert check(str(module(tmp_path, "wsf_straight", preserving=False))).exit_code == 0
    refuted = check(str(module(tmp_path, "wsf_crooked", preserving=True)))
    assert refuted.exit_code == 1
    assert "conserves refuted: straight: ``alpha^2 + sigma^2 = 1``" in " ".join(refuted.stdout.split())


def test_a_module_is_judged_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module(tmp_path, "wsf_by_name", preserving=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    assert {row["part"] for row in findings("wsf_by_name", "--set", "levels=12")} == {"straight(levels=12)"}


def test_an_exception_in_a_part_is_told_once_in_full_with_its_place(tmp_path: Path) -> None:
    path = module(tmp_path, "wsf_raising", preserving=False)
    text = path.read_text().replace("return alpha_s * x_0", "return 1 / (0 * self.levels) * alpha_s * x_0")
    path.write_text(text)
    place = f"wsf_raising.py:{1 + text[: text.index('1 / (0')].count(chr(10))}"
    done = check(str(path))
    told = " ".join(done.stdout.split())
    assert told.count(f"it raised ZeroDivisionError: division by zero (at {place})") == 1
    assert f"arrives refuted: ZeroDivisionError at {place} again, as under recovers above" in told
    raised = {row["check"]: row["raised"] for row in findings(str(path))}
    assert raised["recovers"] == raised["arrives"] == f"ZeroDivisionError at {place}"
    assert raised["begins"] == ""


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["deepset"], "'deepset' is no part, no plugin and no module; did you mean 'deepsets'?"),
        (["encoder:orbits"], "there is no encoder 'orbits'; did you mean 'orbit'?"),
        (["plugin:flatt"], "there is no plugin 'flatt'; did you mean 'flat'?"),
        (["nowhere/part.py"], "nowhere/part.py: there is no such file"),
        (["orbit", "--set", "with=3"], "encoder 'orbit' has no option 'with'"),
        (["deepsets", "--set", "widht=3"], "denoiser 'deepsets' has no option 'widht'; did you mean 'width'?"),
        (["deepsets", "--set", "width"], "should be"),
        (["json"], "module 'json' has no part"),
    ],
)
def test_what_is_asked_wrongly_is_a_sentence(words: list[str], sentence: str) -> None:
    done = check(*words)
    assert done.exit_code == 2, done.output
    assert sentence in done.stderr
    assert "Traceback" not in done.output


def test_a_file_that_fails_is_named(tmp_path: Path) -> None:
    path = tmp_path / "wsf_broken.py"
    path.write_text("import nothing_of_this_name\n")
    done = check(str(path))
    assert done.exit_code == 2
    assert f"{path} can't be imported: ModuleNotFoundError" in done.stderr


@pytest.mark.parametrize(
    ("hook", "reason"),
    [
        ("def wsf_parts():\n    return [Missing]\n", "fails: NameError: name 'Missing' is not defined"),
        ("def wsf_parts():\n    return None\n", "fails: TypeError: 'NoneType' object is not iterable"),
        ("def wsf_parts():\n    return [3]\n", "gives 3, which is no class derived from Part"),
    ],
)
def test_a_hook_that_fails_is_named(tmp_path: Path, hook: str, reason: str) -> None:
    path = tmp_path / "wsf_failing.py"
    path.write_text(hook)
    done = check(str(path))
    assert done.exit_code == 2
    assert f"wsf_parts of module 'wsf_failing' {reason}" in done.stderr
    assert "Traceback" not in done.output
