"""A prior's card: front matter that hubs read, and code that runs as it stands there."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from priors_for_tests import prior
from test_own_data import written
from typer.testing import CliRunner

from wsframework.card import card
from wsframework.cli.app import app
from wsframework.prior import Prior
from wsframework.prior_config import Origin, PriorConfig
from wsframework.tasks import TaskShape


def front_matter(text: str) -> dict[str, str | list[str]]:
    """The YAML between the first two lines of dashes, of which cards use keys, strings and lists of strings."""
    _, front, _ = text.split("---\n", 2)
    found: dict[str, str | list[str]] = {}
    for line in front.splitlines():
        if match := re.fullmatch(r"(\w+):(?: ([\w-]+))?", line):
            last, value = match.groups()
            found[last] = value or []
        else:
            item = re.fullmatch(r"- ([\w-]+)", line)
            assert item, line
            found[last].append(item[1])  # type: ignore[union-attr]
    return found


@pytest.mark.parametrize("objective", ["classification", "regression", ""])
def test_the_front_matter_is_what_hubs_read(objective: str) -> None:
    about = PriorConfig(prior().design, prior().shape, Origin(objective))
    found = front_matter(card(about, 1000))
    assert set(found) == {"library_name", "tags"}
    assert found["library_name"] == "wsframework"
    assert ("classification" in found["tags"], "regression" in found["tags"]) == (
        objective == "classification",
        objective == "regression",
    )


def test_the_card_says_what_the_prior_is() -> None:
    made = prior()
    text = card(PriorConfig(made.design, made.shape, made.origin), 12345)
    for role, part in made.design.parts.items():
        assert f"| {role} | `{part.use}` |" in text
    for words in ("12,345 parameters", "on 3 networks for 30 tasks", "inputs of shape (2,)", "`v`"):
        assert words in text


@pytest.mark.parametrize(("outputs", "objective"), [(2, "classification"), (1, "regression"), (2, "regression")])
def test_what_the_card_shows_runs(
    outputs: int, objective: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prior(2, outputs, objective).save(tmp_path)
    monkeypatch.chdir(tmp_path)
    names = ["y0", "y1"] if (outputs, objective) == (2, "regression") else ["label"]
    written(tmp_path / "task.csv", ["a", "b", *names], [[i, i * i, *[i % 2] * len(names)] for i in range(6)])
    text = Path("README.md").read_text(encoding="utf-8")
    (command,), (code,) = (re.findall(rf"```{language}\n(.*?)```", text, flags=re.S) for language in ("bash", "python"))
    result = CliRunner().invoke(app, shlex.split(command)[1:])
    assert result.exit_code == 0, result.output
    assert Path("init.safetensors").exists()
    exec(code, {})


@pytest.mark.parametrize(
    ("objective", "code", "reason"),
    [("", 0, "an objective"), ("classification", 10, "a code"), ("tokens", 0, "labels at every")],
)
def test_a_card_shows_no_csv_for_tasks_that_a_csv_cannot_hold(objective: str, code: int, reason: str) -> None:
    about = PriorConfig(prior().design, TaskShape((2,), (2,), code), Origin(objective))
    text = card(about, 1)
    assert f"what a CSV can't ({reason}" in text
    assert "--data" not in text


def test_saving_again_replaces_the_card(tmp_path: Path) -> None:
    made = Prior(replace(prior().design, steps=7), prior().shape)
    made.save(tmp_path)
    assert "sampled in 7 steps" in (tmp_path / "README.md").read_text()
    prior().save(tmp_path)
    assert "sampled in the scheduler's own steps" in (tmp_path / "README.md").read_text()
