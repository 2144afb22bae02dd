"""The table of coverage in the page on statistics: simulated anew, with known truths."""

import re
from pathlib import Path

import numpy as np
import pytest

from wsframework.pipeline.intervals import Array, Kind, Resampling

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "statistics.md"
REPEATS, TOGETHER = 1000, 50
"""Intervals a row, and how many of them share their resamples, as the quantities of a report do."""

Rule = tuple[Kind, str, float, bool]
"""The kind of interval, the distribution, its spread, and whether the level must hold: 93 to 97 of 100."""

RULES: dict[str, Rule] = {
    "paired difference, normal": ("difference", "normal", 1.0, True),
    "geometric mean, lognormal of any sigma": ("difference", "log", 3.0, True),
    "mean, normal": ("positive", "normal", 1.0, True),
    "mean, lognormal, sigma = 0.5": ("positive", "lognormal", 0.5, True),
    "mean, lognormal, sigma = 1": ("positive", "lognormal", 1.0, False),
}


def simulated(name: str, n: int) -> tuple[float, float]:
    """Percentages of intervals that cover the truth, and that lie below it."""
    kind, distribution, spread, _ = RULES[name]
    z = spread * np.random.default_rng([n, list(RULES).index(name)]).standard_normal((n, REPEATS))
    values = {"normal": 5 + z, "log": z, "lognormal": np.exp(z)}[distribution]
    truth = {"normal": 5.0, "log": 0.0, "lognormal": float(np.exp(spread**2 / 2))}[distribution]
    low, high = (np.concatenate(ends) for ends in zip(*_ends(values, kind), strict=True))
    return 100 * float(((low <= truth) & (truth <= high)).mean()), 100 * float((high < truth).mean())


def _ends(values: Array, kind: Kind) -> list[tuple[Array, Array]]:
    found = []
    for seed, columns in enumerate(np.split(values, REPEATS // TOGETHER, axis=1)):
        interval = Resampling.draw(len(values), 2000, 0.95, seed).interval(columns, kind)
        found.append((interval.low, interval.high))
    return found


def written() -> dict[tuple[str, int], tuple[float, float]]:
    """The rows of the page: percentages covered and too low."""
    (table,) = re.findall(r"<!-- measured: coverage -->(.+?)<!-- /measured -->", PAGE.read_text("utf-8"), re.DOTALL)
    rows = re.findall(r"^\| (.+?) \| (\d+) \| ([\d.]+) % \| ([\d.]+) % \|$", table, re.MULTILINE)
    return {(name, int(n)): (float(covered), float(low)) for name, n, covered, low in rows}


def test_the_page_has_a_row_for_every_rule() -> None:
    assert set(written()) == {(name, n) for name in RULES for n in (20, 200)}


def test_where_the_level_is_promised_the_page_shows_that_it_holds() -> None:
    for (name, _), (covered, _) in written().items():
        assert not RULES[name][3] or 93 <= covered <= 97, name


@pytest.mark.slow
@pytest.mark.parametrize("n", [20, 200])
@pytest.mark.parametrize("name", RULES)
def test_intervals_cover_as_the_page_says(name: str, n: int) -> None:
    covered, low = simulated(name, n)
    assert (covered, low) == pytest.approx(written()[name, n], abs=0.15)
    assert not RULES[name][3] or 93 <= covered <= 97


@pytest.mark.slow
@pytest.mark.parametrize("true", [0.0, 0.5])
def test_a_known_difference_is_found_and_none_is_not_invented(true: float) -> None:
    """Lognormal losses of 20 tasks, ours lower by ``true`` in the logarithm, where tasks differ far more."""
    rng = np.random.default_rng(5)
    difficulty = 3 * rng.standard_normal((20, REPEATS))
    ours, theirs = (np.exp(difficulty + 0.5 * rng.standard_normal((20, REPEATS)) - d) for d in (true, 0.0))
    ends = _ends(np.log(theirs) - np.log(ours), "difference")
    low, high = (np.concatenate(end) for end in zip(*ends, strict=True))
    assert 0.93 <= ((low <= true) & (true <= high)).mean() <= 0.97
    assert ((low > 0).mean() > 0.8) if true else ((low > 0).mean() < 0.04)
