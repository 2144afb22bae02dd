"""Intervals cover what they should, where a percentile bootstrap does not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from wsframework.pipeline.intervals import FEW, Resampling, median_interval

COLUMNS = 600


def coverage(low: np.ndarray, high: np.ndarray, truth: float) -> float:
    return float(((low <= truth) & (truth <= high)).mean())


@pytest.mark.parametrize("tasks", [5, 20, 50])
def test_mean_of_lognormal_losses_is_covered_better_than_by_percentiles(tasks: int) -> None:
    sigma = 1.0
    losses = np.exp(sigma * np.random.default_rng(3).standard_normal((tasks, COLUMNS)))
    resampling = Resampling.draw(tasks, 1000, 0.95, seed=1)
    found = resampling.interval(losses, "positive")
    percentile = np.quantile(resampling.counts @ losses / tasks, [0.025, 0.975], axis=0)
    truth = float(np.exp(sigma**2 / 2))
    assert (found.low > 0).all()
    assert coverage(found.low, found.high, truth) > coverage(*percentile, truth) + 0.015
    assert coverage(found.low, found.high, truth) > (0.85 if tasks < FEW else 0.88)


def test_heavy_tails_are_covered_as_the_page_on_statistics_admits() -> None:
    """Lognormal losses of sigma 2: less than the level, and where the interval misses, it mostly lies too low."""
    losses = np.exp(2 * np.random.default_rng(7).standard_normal((200, 300)))
    found = Resampling.draw(200, 1000, 0.95, seed=1).interval(losses, "positive")
    truth = float(np.exp(2))
    assert 0.84 < coverage(found.low, found.high, truth) < 0.93
    assert (found.high < truth).mean() > 3 * (found.low > truth).mean()


def test_losses_that_are_mostly_zero_are_covered() -> None:
    losses = (np.random.default_rng(8).random((200, 300)) < 0.02).astype(float)
    found = Resampling.draw(200, 1000, 0.95, seed=1).interval(losses, "positive")
    assert coverage(found.low, found.high, 0.02) > 0.92


def test_one_loss_that_is_not_zero_bounds_the_mean_from_below_only() -> None:
    losses = np.zeros((50, 2))
    losses[0], losses[:10, 1] = 1.0, 1.0
    found = Resampling.draw(50, 1000, 0.95, seed=1).interval(losses, "positive")
    assert found.high[0] == np.inf
    assert 0 < found.low[0] < found.mean[0] == 0.02
    assert np.isfinite(found.high[1])


@pytest.mark.parametrize("tasks", [4, 12, 60])
def test_paired_differences_of_normal_values_are_covered_at_the_nominal_level(tasks: int) -> None:
    differences = 5 + np.random.default_rng(4).standard_normal((tasks, COLUMNS))
    found = Resampling.draw(tasks, 1000, 0.95, seed=1).interval(differences, "difference")
    assert 0.92 < coverage(found.low, found.high, 5) < 0.985


def test_bounded_quantities_have_the_intervals_of_scipys_bca() -> None:
    shares = np.random.default_rng(5).beta(8, 1, size=(30, 3))
    found = Resampling.draw(30, 20_000, 0.95, seed=1).interval(shares, "bounded")
    rng = np.random.default_rng(2)
    for column in range(3):
        theirs = stats.bootstrap((shares[:, column],), np.mean, method="BCa", n_resamples=20_000, batch=2000, rng=rng)
        width = theirs.confidence_interval.high - theirs.confidence_interval.low
        assert found.low[column] == pytest.approx(theirs.confidence_interval.low, abs=0.05 * width)
        assert found.high[column] == pytest.approx(theirs.confidence_interval.high, abs=0.05 * width)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.floats(0, 1e6, allow_subnormal=False), min_size=2, max_size=20),
    st.sampled_from(["positive", "difference", "bounded"]),
)
def test_every_interval_is_ordered_and_a_number(values: list[float], kind: str) -> None:
    column = np.array(values)[:, None]
    found = Resampling.draw(len(values), 200, 0.95, seed=0).interval(column, kind)  # type: ignore[arg-type]
    assert not np.isnan([found.low, found.mean, found.high]).any()
    assert found.low[0] <= found.high[0]
    if kind == "bounded":
        assert column.min() - 1e-9 <= found.low[0] <= found.high[0] <= column.max() * (1 + 1e-12)


def test_equal_values_leave_no_width_and_one_value_gives_no_interval() -> None:
    constant = Resampling.draw(9, 100, 0.95, seed=0).interval(np.full((9, 1), 0.25), "positive")
    assert constant.low == constant.mean == constant.high == 0.25
    alone = Resampling.draw(1, 100, 0.95, seed=0).interval(np.array([[0.25]]), "positive")
    assert np.isnan(alone.low)
    assert np.isnan(alone.high)


@pytest.mark.parametrize("count", [6, 25, 200])
def test_median_is_covered_whatever_the_distribution(count: int) -> None:
    samples = np.random.default_rng(6).standard_cauchy((800, count))
    ends = np.array([median_interval(sample)[1:] for sample in samples])
    assert 0.93 < coverage(ends[:, 0], ends[:, 1], 0.0) <= 1


def test_median_of_few_values_has_no_interval() -> None:
    median, low, high = median_interval(np.array([3.0, 1.0, 2.0]))
    assert median == 2.0
    assert np.isnan([low, high]).all()


@pytest.mark.parametrize("n", [20, 200])
def test_a_mean_that_hangs_on_one_task_has_no_upper_end(n: int) -> None:
    losses = np.full((n, 1), 1e-6)
    losses[0] = 1.0
    found = Resampling.draw(n, 2000, 0.95, 0).interval(losses, "positive")
    assert found.high[0] == np.inf
    assert 0 < found.low[0] < found.mean[0]
