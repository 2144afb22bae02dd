"""The report says what the scores say: all of it, and nothing else."""

import copy
import re
from html import unescape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_curves import falling

from wsframework.audit.rows import rows
from wsframework.pipeline.evaluate import evaluate
from wsframework.pipeline.report import write_report
from wsframework.pipeline.report.findings import findings
from wsframework.pipeline.report.numbers import number
from wsframework.pipeline.report.verdict import verdict

STARTS = {"random": 1.0, "nearest": 0.3, "hypernetwork": 0.02, "prior": 0.1, "prior (best of 8)": 0.08}
STARTS["analytic"] = 1e-5
LONG = {"before any step": "before", "after the last epoch": "last"}
SENTENCE = "it serves tasks with a code | these have <none> & no text."


GROUP = {
    "networks": 9,
    "distance": {"median": 0.3125},
    "ratio": 0.97,
    "near": 0,
    "copies": 0,
    "z_u": -0.4,
    "overlap": None,
}
AUDIT = {"verdict": "no copies", "zoo": 40, "candidates": 8, "groups": {"samples": GROUP, "zoo": GROUP}}


def made(starts: dict[str, float], tasks: int = 12, epochs: int = 6) -> dict[str, Any]:
    curves = {n: falling(n, start, seed, tasks, epochs=epochs) for seed, (n, start) in enumerate(starts.items())}
    roles = {"random": "untrained", "analytic": "control", "pretrained": "control"}
    scores = evaluate(
        curves, "accuracy", True, roles=roles, not_applicable={"pretrained": SENTENCE}, resamples=300, seed=1
    )
    scores["notes"] += ["Held-out tasks were <drawn> once & for all."]
    return scores | {
        "name": "trial",
        "command": "wsf run trial.toml --seed 1",
        "split": {"drawn": "Every mean was drawn anew.", "distance_to_nearest_seen": {"median": 0.21375}},
        "tasks": {"seen": 4000, "held_out": tasks},
        "memorization": AUDIT,
        "cost": {"zoo": {"seconds": 151.0}, "train": {"seconds": 30.0}},
        "versions": {"torch": "2.4.0"},
    }


@pytest.fixture(scope="module")
def scores() -> dict[str, Any]:
    return made(STARTS)


@pytest.fixture(scope="module")
def folder(scores: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report")
    assert write_report(scores, path) == path / "report.html"
    return path


@pytest.fixture(scope="module", params=["report.md", "report.html"])
def text(request: pytest.FixtureRequest, folder: Path) -> str:
    found = (folder / request.param).read_text(encoding="utf-8")
    return found.replace("\\|", "|") if request.param == "report.md" else unescape(found)


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """A report without its figures, which take most of its time."""
    monkeypatch.setattr("wsframework.pipeline.report.draw_figures", lambda *_: [])


def test_everything_that_was_given_is_said(text: str, scores: dict[str, Any]) -> None:
    for word in (*STARTS, *scores["notes"], SENTENCE, scores["command"], scores["split"]["drawn"], "0.214", "2.4.0"):
        assert word in text
    for word in (
        "no copies.",
        "0.312",
        "2 min 31 s",
        "3 min 1 s",
        "4,000",
        "12 tasks",
        *findings(scores),
        *verdict(scores),
    ):
        assert word in text


def test_nothing_is_said_that_is_no_number(text: str) -> None:
    assert not re.search(r"\b(nan|inf|None|True|False)\b", re.sub(r"base64,[\w+/=]+", "", text))


def test_figures_of_the_table_are_those_of_the_scores(folder: Path, scores: dict[str, Any]) -> None:
    _, _, table = (folder / "report.md").read_text(encoding="utf-8").partition("## Every initializer")
    lines = table.partition("\n## ")[0].splitlines()
    for name, curves in scores["curves"].items():
        (line,) = (row for row in lines if row.startswith(f"| {name} |"))
        loss = curves["train_loss"]
        for k in (0, 1, 5, 6):
            assert number(loss["mean"][k]) in line
            assert f"{number(loss['low'][k])}–{number(loss['high'][k])}" in line
        assert f"{number(scores['speedup'][name]['median'])}×" in line


def test_regret_is_in_the_report(folder: Path, scores: dict[str, Any]) -> None:
    lines = (folder / "report.md").read_text(encoding="utf-8").splitlines()
    for name, regret in scores["regret"].items():
        mean, low, high = (number(regret["train_loss"][end]) for end in ("mean", "low", "high"))
        end = f"| {mean} ({low} to {high}) |"
        assert any(line.startswith(f"| {name} |") and line.endswith(end) for line in lines)


@pytest.mark.usefixtures("undrawn")
def test_votes_are_in_the_report_where_there_are_any(scores: dict[str, Any], tmp_path: Path) -> None:
    spread = {"low": 0.9012, "high": 0.9345}
    figures = {
        name: {"mean": mean, **spread}
        for name, mean in {
            "single_query_loss": 0.2346,
            "vote_query_loss": 0.1987,
            "single_query_metric": 0.9123,
            "vote_query_metric": 0.9234,
            "loss_gain": 0.0359,
            "metric_gain": 0.0111,
        }.items()
    }
    write_report({**scores, "votes": {"prior": {"members": 8, **figures}}}, tmp_path)
    line = next(row for row in (tmp_path / "report.md").read_text().splitlines() if row.startswith("| prior, 8 "))
    assert all(figure in line for figure in ("0.235", "0.199", "91.2 %", "92.3 %", "+1.1"))
    write_report(scores, tmp_path)
    assert "| prior, 8 " not in (tmp_path / "report.md").read_text()


def test_html_is_well_formed_and_stands_alone(folder: Path) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    root = ElementTree.fromstring(page.removeprefix("<!DOCTYPE html>"))
    sources = [image.attrib["src"] for image in root.iter("img")]
    assert len(sources) == 5
    assert all(image.attrib["alt"] for image in root.iter("img"))
    assert all(source.startswith("data:image/svg+xml;base64,") for source in sources)
    assert not list(root.iter("script")) + list(root.iter("link"))
    widths = {int(cell.attrib.get("colspan", 1)) for cell in root.iter("td")}
    for table in root.iter("table"):
        columns = len(list(table.iter("th")))
        for line in table.find("tbody") or []:
            assert sum(int(cell.attrib.get("colspan", 1)) for cell in line) == columns
    assert max(widths) > 1


def test_markdown_tables_are_rectangular_and_figures_exist(folder: Path) -> None:
    page = (folder / "report.md").read_text(encoding="utf-8")
    blocks = re.findall(r"(?:^\|.*\n)+", page, flags=re.MULTILINE)
    assert len(blocks) >= 6
    for block in blocks:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1
    for path in re.findall(r"\]\((figures/.*?)\)", page):
        assert (folder / path).read_bytes().startswith(b"\x89PNG")


def test_findings_are_told_from_the_reference_s_side(scores: dict[str, Any]) -> None:
    told = findings(scores)
    assert any("'random': before any step" in s and "times lower" in s for s in told)
    assert any("'hypernetwork': before any step" in s and "times higher" in s for s in told)


def test_who_is_ahead_of_the_prior_stands_at_the_top(text: str, scores: dict[str, Any]) -> None:
    """Before all other sentences, at both moments, with the interval; controls apart."""
    for sentence, moment in zip(verdict(scores), LONG.values(), strict=False):
        assert "the prior is not first: hypernetwork is. Against it" in sentence
        times = scores["comparisons"]["hypernetwork"][moment]["train_loss"]
        ends = [number(1 / times[end]) for end in ("times_high", "times_low")]
        assert f"{number(1 / times['times'])} times higher (95 % interval {' to '.join(ends)})" in sentence
        assert "The prior is ahead of nearest and random." in sentence
        assert "analytic" not in sentence
        assert text.index(sentence) < text.index(findings(scores)[0])
    assert "ahead of the prior by support loss: analytic before any step; analytic after" in verdict(scores)[3]


def test_by_the_metric_too_whose_direction_the_scores_know(scores: dict[str, Any]) -> None:
    told = verdict(scores)[2]
    for word, key in (("better than", "better"), ("worse than", "worse")):
        rivals = [
            n for n in ("random", "nearest", "hypernetwork") if scores["comparisons"][n]["before"]["query_metric"][key]
        ]
        listed = told.partition(f"{word} ")[2].partition(";")[0].rstrip(".").replace(" and ", ", ").split(", ")
        assert sorted(rivals) == sorted(name for name in listed if name)


@pytest.mark.parametrize(
    ("better", "sentence"),
    [(True, "the prior is first: its support loss is lower than from"), (False, "the prior shares the first place")],
)
def test_the_prior_is_first_or_shares_the_first_place(better: bool, sentence: str) -> None:
    found = made({"random": 1.0, "nearest": 0.3, "prior": 0.1})
    for rival in found["comparisons"].values():
        rival["before"]["train_loss"] |= {"better": better, "worse": False}
    assert sentence in verdict(found)[0]


def test_how_sure_it_is_counts_trainings(scores: dict[str, Any]) -> None:
    assert "of one training" in verdict(scores)[-1]
    assert "of 5 trainings, pooled" in verdict({**scores, "repeats": 5})[-1]


@pytest.mark.usefixtures("undrawn")
def test_wins_are_a_table_for_each_moment(scores: dict[str, Any], tmp_path: Path) -> None:
    write_report(scores, tmp_path)
    page = (tmp_path / "report.md").read_text(encoding="utf-8")
    names = " | ".join(scores["wins"])
    for title, moment in (("before any step", "before"), ("after the last epoch", "last")):
        table = page[page.index(f"| {title} | {names} |") :].partition("\n\n")[0]
        (line,) = (line for line in table.splitlines() if line.startswith("| prior |"))
        share = scores["wins"]["prior"]["random"][moment]
        assert f"({100 * share['low']:.0f}–{100 * share['high']:.0f})" in line


@pytest.mark.usefixtures("undrawn")
def test_the_recipe_is_in_the_report(scores: dict[str, Any], tmp_path: Path) -> None:
    write_report(scores, tmp_path, recipe='name = "<a & b>"\n')
    assert '```toml\nname = "<a & b>"\n```' in (tmp_path / "report.md").read_text(encoding="utf-8")
    assert 'name = "<a & b>"' in unescape((tmp_path / "report.html").read_text(encoding="utf-8"))


@pytest.mark.usefixtures("undrawn")
def test_an_audit_has_its_verdict_first_and_its_groups_in_a_table(scores: dict[str, Any], tmp_path: Path) -> None:
    write_report({**scores, "memorization": AUDIT}, tmp_path)
    _, _, told = (tmp_path / "report.md").read_text(encoding="utf-8").partition("## Memorisation\n")
    places = [told.index(line) for line in (AUDIT["verdict"], *(f"| {texts[0]} |" for texts in rows(AUDIT)))]
    assert places == sorted(places)


def test_a_verdict_without_evidence_says_so(scores: dict[str, Any]) -> None:
    unsure = copy.deepcopy(scores)
    for moment in ("before", "last"):
        unsure["comparisons"]["random"][moment]["train_loss"] |= {"better": False, "worse": False}
    (sentence,) = (s for s in findings(unsure) if "against 'random'" in s)
    assert sentence.count("not shown to differ") == 2


def test_without_a_prior_the_best_is_named() -> None:
    told = findings(made({"random": 1.0, "nearest": 0.01}))
    assert "'nearest'" in told[0]
    assert "no 'prior'" in told[1]


@pytest.mark.usefixtures("undrawn")
def test_the_papers_table_only_where_asked(scores: dict[str, Any], tmp_path: Path) -> None:
    wanted = made({"random": 1.0, "prior": 0.1}, epochs=20) | {"paper_table": True}
    write_report(wanted, tmp_path)
    page = (tmp_path / "report.md").read_text(encoding="utf-8")
    (line,) = (row for row in page.splitlines() if row.startswith("| diffusion"))
    for printed in ("3.5939", "0.0002", "0.0001"):
        assert printed in line
    for epoch in (0, 10, 19):
        assert number(wanted["epoch_loss"]["prior"]["mean"][epoch]) in line
    write_report(scores, tmp_path)
    assert "3.5939" not in (tmp_path / "report.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("epochs", [1, 2])
def test_the_smallest_run_has_a_report_too(epochs: int, tmp_path: Path) -> None:
    scores = evaluate(
        {n: falling(n, s, 1, tasks=1, draws=1, epochs=epochs) for n, s in {"random": 1.0, "prior": 0.1}.items()},
        "mse",
        False,
        resamples=50,
    )
    page = write_report(scores, tmp_path).read_text(encoding="utf-8")
    assert "without an interval" in page
    assert not re.search(r"\b(nan|None)\b", re.sub(r"base64,[\w+/=]+", "", page))


def test_the_same_scores_give_the_same_files(scores: dict[str, Any], folder: Path, tmp_path: Path) -> None:
    write_report(scores, tmp_path)
    for path in ("report.md", "report.html", "figures/support_loss.png", "figures/speedup.png"):
        assert (tmp_path / path).read_bytes() == (folder / path).read_bytes()


@settings(deadline=None)
@given(st.floats(1e-12, 1e12))
def test_numbers_keep_three_significant_digits(value: float) -> None:
    assert float(number(value).replace(",", "")) == pytest.approx(value, rel=0.005 * 1.0001)
    assert ("e" in number(value)) == (not 1e-4 <= value < 1e6)
