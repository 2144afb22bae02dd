"""The figures of scores.json mean what their definitions say."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from made_curves import PER_EPOCH, curves_from, falling

from wsframework.errors import StoreError, WsfError
from wsframework.pipeline.curves import Curves
from wsframework.pipeline.evaluate import CEILING, evaluate, pool

EPOCHS = 4
BUDGET = EPOCHS * PER_EPOCH


def scored(*curves: Curves, **options: Any) -> dict[str, Any]:
    return evaluate({c.initializer: c for c in curves}, "accuracy", True, resamples=500, **options)


def reaching(name: str, step: list[int | None], goal: float = 0.1) -> Curves:
    """One task for each entry: its loss is 1 and comes down to ``goal`` at that step, or never."""
    losses = torch.ones(len(step), 1, BUDGET + 1)
    for task, first in enumerate(step):
        if first is not None:
            losses[task, :, first:] = goal
    return curves_from(name, losses)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.one_of(st.none(), st.integers(0, BUDGET)), min_size=1, max_size=12))
def test_speedup_is_budget_over_steps_and_censored_where_never_reached(steps: list[int | None]) -> None:
    speed = scored(reaching("random", [BUDGET] * len(steps)), reaching("prior", steps))["speedup"]
    assert speed["random"]["never"] == 0
    assert speed["random"]["median"] == 1
    factors = sorted(0.0 if s is None else BUDGET / max(s, 1) for s in steps)
    assert speed["prior"]["never"] == pytest.approx(sum(s is None for s in steps) / len(steps))
    assert speed["prior"]["mean"] == pytest.approx(sum(factors) / len(factors))
    middle = (factors[len(factors) // 2] + factors[(len(factors) - 1) // 2]) / 2
    assert speed["prior"]["median"] == (None if middle == 0 else pytest.approx(middle))


def test_speedup_counts_gradient_steps_not_evaluations() -> None:
    sparse = reaching("prior", [7] * 8)
    every = 3
    thinned = Curves(
        "prior",
        sparse.train_loss,
        sparse.query_loss,
        sparse.query_metric,
        sparse.epoch_loss,
        torch.cat([sparse.step_loss[..., ::every], sparse.step_loss[..., -1:]], -1),
        (*range(0, BUDGET + 1, every), BUDGET),
    )
    assert scored(reaching("random", [BUDGET] * 8), thinned)["speedup"]["prior"]["median"] == BUDGET / 9


def test_a_baseline_that_is_absent_gives_no_speedup() -> None:
    assert "speedup" not in scored(falling("prior", 0.1, 1))


def test_index_zero_is_before_any_step() -> None:
    curves = falling("random", 1.0, 1)
    found = scored(curves)["curves"]["random"]
    assert found["train_loss"]["mean"] == pytest.approx(curves.train_loss.mean((0, 1)).tolist(), rel=1e-5)
    assert found["query_accuracy"] == found["query_metric"]
    for low, mean, high in zip(*(found["train_loss"][k] for k in ("low", "mean", "high")), strict=True):
        assert 0 < low < mean < high


def test_better_only_where_the_pairing_shows_it() -> None:
    found = scored(falling("random", 1.0, 1), falling("twin", 0.1, 3), falling("prior", 0.1, 2), seed=5)["comparisons"]
    against_random, against_twin = found["random"]["before"]["train_loss"], found["twin"]["before"]["train_loss"]
    assert against_random["better"]
    assert not against_random["worse"]
    assert against_random["times_low"] < 10 < against_random["times_high"]
    assert not against_twin["better"]
    assert not against_twin["worse"]
    assert "prior" not in found


def test_who_is_worse_when_the_roles_are_exchanged() -> None:
    pair = (falling("random", 1.0, 1), falling("prior", 0.1, 2))
    forward = scored(*pair)["comparisons"]["random"]["last"]["train_loss"]
    backward = scored(*pair, reference="random")["comparisons"]["prior"]["last"]["train_loss"]
    assert forward["better"]
    assert backward["worse"]
    assert forward["difference"] == pytest.approx(-backward["difference"])


def test_false_alarms_stay_near_the_nominal_rate() -> None:
    alarms = 0
    for seed in range(60):
        found = scored(falling("twin", 0.1, 1000 + seed, tasks=12), falling("prior", 0.1, 2000 + seed, tasks=12))
        verdict = found["comparisons"]["twin"]["before"]["train_loss"]
        alarms += verdict["better"] or verdict["worse"]
    assert alarms <= 9  # 3 expected; 10 or more of 60 at 5 % happens once in 1500


def test_best_of_k_is_compared_with_best_of_k() -> None:
    names = ("prior", "prior (best of 8)", "nearest", "nearest (best of 8)", "mean (best of 4)")
    found = scored(*(falling(name, 0.1, seed) for seed, name in enumerate(names)))["comparisons"]
    assert {name: c["reference"] for name, c in found.items()} == {
        "prior (best of 8)": "prior",
        "nearest": "prior",
        "nearest (best of 8)": "prior (best of 8)",
        "mean (best of 4)": "prior",
    }


def test_metric_of_which_less_is_better_turns_the_sign() -> None:
    pair = {"random": falling("random", 1.0, 1), "prior": falling("prior", 0.1, 2)}
    errors = {
        n: Curves.from_tensors(n, c.steps, c.to_tensors() | {"query_metric": c.query_loss}) for n, c in pair.items()
    }
    found = evaluate(errors, "mse", False, resamples=500)
    assert found["comparisons"]["random"]["before"]["query_metric"]["better"]
    assert "query_accuracy" not in found["curves"]["prior"]


def test_regret_is_the_paired_difference_of_areas() -> None:
    found = scored(falling("nearest", 0.2, 1), falling("prior", 0.1, 2))
    areas = {name: found["area"][name]["train_loss"]["mean"] for name in ("nearest", "prior")}
    regret = found["regret"]["prior"]["train_loss"]
    assert regret["mean"] == pytest.approx(areas["prior"] - areas["nearest"])
    assert regret["high"] < 0
    assert found["regret"]["nearest"]["train_loss"] == {"mean": 0.0, "low": 0.0, "high": 0.0}


@settings(deadline=None, max_examples=8)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_tasks_changes_nothing_but_the_bootstrap(seed: int) -> None:
    order = torch.randperm(100, generator=torch.Generator().manual_seed(seed))
    names = {"random": 1.0, "prior": 0.1}
    plain = {n: falling(n, start, place, tasks=100) for place, (n, start) in enumerate(names.items())}
    moved = {
        n: Curves.from_tensors(n, c.steps, {k: t[order] for k, t in c.to_tensors().items()}) for n, c in plain.items()
    }
    one, two = (evaluate(c, "accuracy", True, resamples=4000) for c in (plain, moved))
    for path in (("curves", "prior", "train_loss"), ("epoch_loss", "random")):
        first, second = one, two
        for key in path:
            first, second = first[key], second[key]
        assert first["mean"] == pytest.approx(second["mean"])
        assert first["low"] == pytest.approx(second["low"], rel=0.2)
        assert first["high"] == pytest.approx(second["high"], rel=0.3)
    assert one["speedup"]["prior"]["median"] == two["speedup"]["prior"]["median"]


def test_the_same_seed_gives_the_same_scores_and_they_are_json() -> None:
    pair = (falling("random", 1.0, 1), falling("prior", 0.1, 2))
    assert scored(*pair, seed=3) == scored(*pair, seed=3)
    assert scored(*pair, seed=3) != scored(*pair, seed=4)
    assert json.loads(json.dumps(scored(*pair), allow_nan=False)) == scored(*pair)


def test_a_diverged_loss_counts_as_the_ceiling_and_is_told() -> None:
    losses = torch.full((9, 1, BUDGET + 1), 0.5)
    losses[2, 0, 5:] = torch.nan
    losses[4, 0, 5:] = torch.inf
    found = scored(curves_from("random", losses))
    json.dumps(found, allow_nan=False)
    assert found["curves"]["random"]["train_loss"]["mean"][-1] == pytest.approx((2 * CEILING + 7 * 0.5) / 9)
    assert "'random'" in found["notes"][0]
    assert "2 of 9 tasks" in found["notes"][0]


def test_one_task_gives_means_without_intervals() -> None:
    found = scored(falling("random", 1.0, 1, tasks=1), falling("prior", 0.1, 2, tasks=1))
    assert found["curves"]["prior"]["train_loss"]["low"][0] is None
    assert not found["comparisons"]["random"]["before"]["train_loss"]["better"]


def test_curves_of_different_tasks_are_refused() -> None:
    with pytest.raises(WsfError, match=r"prior: 7 tasks"):
        scored(falling("random", 1.0, 1, tasks=8), falling("prior", 0.1, 2, tasks=7))


def test_pooling_makes_every_run_and_task_a_task() -> None:
    runs = [{n: falling(n, 0.1, seed, tasks=5) for n in names} for seed, names in enumerate(["ab", "ac"])]
    pooled = pool(runs)
    assert list(pooled) == ["a"]
    assert torch.equal(pooled["a"].train_loss, torch.cat([run["a"].train_loss for run in runs]))
    with pytest.raises(ValueError, match="draws"):
        pool([{"a": falling("a", 0.1, 1)}, {"a": falling("a", 0.1, 1, draws=3)}])


def test_curves_come_back_from_their_file(tmp_path: Path) -> None:
    curves = falling("prior (best of 8)", 0.1, 1)
    curves.save(tmp_path / "c.safetensors")
    back = Curves.load(tmp_path / "c.safetensors")
    assert (back.initializer, back.steps) == (curves.initializer, curves.steps)
    assert all(torch.equal(t, back.to_tensors()[name]) for name, t in curves.to_tensors().items())
    (tmp_path / "c.safetensors").write_bytes(b"not a file of tensors")
    with pytest.raises(StoreError, match=r"c\.safetensors"):
        Curves.load(tmp_path / "c.safetensors")


def test_curves_that_do_not_fit_each_other_are_refused() -> None:
    good = falling("a", 0.1, 1)
    with pytest.raises(ValueError, match="'a'"):
        Curves.from_tensors("a", good.steps[:-1], good.to_tensors())
