"""Reports in a real browser: nothing is cut, missing or unnamed, on a phone, on a desk and on paper."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from browser import Page, browser, program
from made_curves import falling

from wsframework.pipeline.evaluate import evaluate
from wsframework.pipeline.pictures import Shown
from wsframework.pipeline.report import write_report
from wsframework.pipeline.report.side_by_side import write_comparison

pytestmark = pytest.mark.skipif(program() is None, reason="no chromium or chrome is installed")

NAMES = (
    "random",
    "nearest",
    "prior",
    "prior (best of 8)",
    "hypernetwork (best of 8)",
    *(f"other-{k}" for k in range(6)),
)
A4 = 688
"""The width of a printed page in CSS pixels, without its margins."""

PROBE = """(() => {
  const inside = e => e.closest('.wide, pre') !== null;
  const right = e => e.getBoundingClientRect().right;
  return {
    width: document.documentElement.scrollWidth,
    beyond: [...document.querySelectorAll('body *')].filter(e => !inside(e) && right(e) > innerWidth + 1)
      .map(e => e.outerHTML.slice(0, 80)),
    pictures: [...document.images].map(i => [i.complete && i.naturalWidth > 0, i.alt]),
    tables: [...document.querySelectorAll('table')].map(t => t.closest('.wide') !== null),
    scrolls: [...document.querySelectorAll('.wide')].filter(e => e.scrollWidth > e.clientWidth)
      .map(e => getComputedStyle(e).overflowX),
    links: [...document.querySelectorAll('nav a')].map(a => document.querySelector(a.getAttribute('href')) !== null),
    outside: performance.getEntriesByType('resource').map(r => r.name).filter(n => !n.startsWith('data:')),
    ground: getComputedStyle(document.body).backgroundColor,
  };
})()"""


def scores() -> dict[str, Any]:
    curves = {name: falling(name, 1 / (1 + seed), seed, 12) for seed, name in enumerate(NAMES)}
    found = evaluate(curves, "accuracy", True, not_applicable={"pretrained": "It has no answer. " * 9}, resamples=100)
    return {**found, "name": "a-name-that-is-long-and-has-no-blank-in-it" * 2, "command": "wsf run " + "x" * 200}


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder, found = tmp_path_factory.mktemp("reports"), scores()
    image = torch.rand(4, 4, 3)
    shown = [Shown("a task", None, image, dict.fromkeys(NAMES, image), dict.fromkeys(NAMES, image))]
    one = write_report(found, folder / "one", shown, 'name = "x"\n' * 90)
    told = {
        "folder": "f",
        "seed": 0,
        "repeats": 1,
        "seconds": 1.0,
        "wsframework": "0",
        "conditions": {"tasks": "a" * 32},
    }
    runs = {f"run-{k}": {**found, **told} for k in range(9)}
    side = {"runs": runs, "groups": [list(runs)], "reasons": [], "paired": {}, "command": "wsf report " + "y" * 200}
    return {"one": one, "several": write_comparison(side, folder / "several")}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.mark.parametrize("name", ["one", "several"])
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_cut_missing_or_unnamed(name: str, width: int, reports: dict[str, Path], page: Page) -> None:
    page.open(reports[name], width)
    found = page.says(PROBE)
    assert page.errors() == []
    assert found["width"] == width
    assert found["beyond"] == []
    assert found["pictures"]
    assert all(there and alt for there, alt in found["pictures"])
    assert all(found["tables"])
    assert set(found["scrolls"]) <= {"auto"}, "what is wider scrolls in a box of its own"
    assert found["scrolls"] or width > 390
    assert all(found["links"])
    assert found["outside"] == []


def test_on_paper_nothing_is_cut(reports: dict[str, Path], page: Page) -> None:
    page.open(reports["one"], A4, media="print")
    found = page.says(PROBE)
    assert found["width"] <= A4
    assert set(found["scrolls"]) <= {"visible"}


def test_a_dark_page_is_dark(reports: dict[str, Path], page: Page) -> None:
    def ground(dark: bool) -> int:
        page.open(reports["one"], 390, dark=dark)
        return sum(int(part) for part in page.says(PROBE)["ground"].removeprefix("rgb(").rstrip(")").split(","))

    assert ground(dark=True) < 150 < 600 < ground(dark=False)


def test_a_report_is_light(reports: dict[str, Path]) -> None:
    assert reports["one"].stat().st_size < 1_000_000
