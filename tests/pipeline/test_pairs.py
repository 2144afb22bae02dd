"""Who beats whom: shares of tasks add up, and many comparisons raise few false alarms."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from wsframework.pipeline.comparison import student_p
from wsframework.pipeline.pairs import adjust, holm, pairs, wilson

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=12)


def losses(names: int, tasks: int, seed: int, spread: float = 1.0) -> dict[str, np.ndarray]:
    """Alike in truth: lognormal, of tasks that differ in difficulty, two draws and three epochs."""
    rng = np.random.default_rng(seed)
    difficulty = rng.standard_normal((tasks, 1, 1))
    return {f"i{k}": np.exp(difficulty + spread * rng.standard_normal((tasks, 2, 3))) for k in range(names)}


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3)), min_size=1, max_size=20))
def test_wins_are_antisymmetric_up_to_ties(drawn: list[tuple[int, int]]) -> None:
    values = np.array(drawn, dtype=float)
    given_ = {name: np.repeat(values[:, k].reshape(-1, 1, 1), 3, axis=2) for k, name in enumerate("ab")}
    wins = pairs(given_, 0.95)["wins"]
    ties = (values[:, 0] == values[:, 1]).mean()
    for moment in ("before", "last"):
        ours, theirs = wins["a"]["b"][moment], wins["b"]["a"][moment]
        assert ours["mean"] + theirs["mean"] + ties == pytest.approx(1)
        assert 0 <= ours["low"] <= ours["mean"] <= ours["high"] <= 1


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**31), st.integers(2, 5))
def test_better_is_never_so_both_ways_and_each_moment_is_its_own(seed: int, names: int) -> None:
    drawn = losses(names, 6, seed)
    drawn["i0"] = np.concatenate([drawn["i0"][..., :2], 1e-4 * drawn["i0"][..., 2:]], axis=2)
    found = pairs(drawn, 0.95)
    for a, b in combinations(drawn, 2):
        assert not (found["better"][a][b]["last"] and found["better"][b][a]["last"])
        assert a != "i0" or found["better"][a][b]["last"]
    assert found["family"]["comparisons"] == names * (names - 1) // 2


@given(P_VALUES)
def test_holm_lies_between_no_correction_and_bonferronis(p: list[float]) -> None:
    adjusted = holm(p)
    for raw, found in zip(p, adjusted, strict=True):
        assert raw <= found <= min(max(adjusted), 1)
    assert max(adjusted) <= min(max(p) * len(p), 1)
    assert [adjusted[i] for i in np.argsort(p, kind="stable")] == sorted(adjusted)
    assert min(adjusted) == pytest.approx(min(min(p) * len(p), 1))


@given(P_VALUES)
def test_holm_rejects_as_going_down_step_by_step_does(p: list[float]) -> None:
    order, rejected = np.argsort(p, kind="stable"), set()
    for place, i in enumerate(order):
        if p[i] * (len(p) - place) > 0.05:
            break
        rejected.add(int(i))
    assert {i for i, found in enumerate(holm(p)) if found <= 0.05} == rejected


def test_of_many_alike_some_pair_is_seldom_called_better() -> None:
    """Ten pairs, 200 families: with correction at most 1 family in 20 has a false alarm, without it far more have."""
    alarms = [0, 0]
    for seed in range(200):
        drawn = losses(5, 20, seed)
        better = pairs(drawn, 0.95)["better"]
        logs = {name: np.log(values).mean(1)[:, -1] for name, values in drawn.items()}
        alarms[0] += any(b["last"] for row in better.values() for b in row.values())
        alarms[1] += any((student_p(logs[a] - logs[b]) or 0) <= 0.05 for a, b in combinations(logs, 2))
    assert alarms[0] <= 19  # 10 expected at most; 20 or more once in 300
    assert alarms[1] > 2 * alarms[0]


def test_student_is_scipys_paired_test() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 15))
    assert student_p(a - b) == pytest.approx(stats.ttest_rel(a, b).pvalue)
    assert student_p(a[:1]) is None
    assert student_p(np.zeros(4)) == 1
    assert student_p(np.ones(4)) == 0


@pytest.mark.parametrize(("n", "share"), [(20, 0.3), (20, 0.9), (200, 0.5), (200, 0.97)])
def test_a_share_of_tasks_is_covered(n: int, share: float) -> None:
    """Exactly: over the binomial, of which every outcome's interval is known."""
    ends = np.array([wilson(k, n, 0.95) for k in range(n + 1)])
    covered = (ends[:, 0] <= share) & (share <= ends[:, 1])
    assert 0.93 < stats.binom.pmf(np.arange(n + 1), n, share)[covered].sum() < 0.98


def test_a_family_is_one_moment_and_one_quantity() -> None:
    def found(p: float | None) -> dict[str, dict[str, dict[str, float | None]]]:
        return {moment: {"train_loss": {"p": p}} for moment in ("before", "last")}

    comparisons = {"a": found(0.01), "b": found(0.04), "c": found(None)}
    adjust(comparisons)
    assert [c["last"]["train_loss"]["p_holm"] for c in comparisons.values()] == [0.02, 0.04, None]
