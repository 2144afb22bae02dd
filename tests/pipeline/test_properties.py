"""What networks are like: every measure has a figure or a reason, and seeds pool."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from made_curves import curves_from
from tiny import REGISTRY, tiny

from wsframework.pipeline.break_even import break_even
from wsframework.pipeline.properties import of_draws, of_zoo, pooled_properties
from wsframework.pipeline.property_figures import property_figures
from wsframework.pipeline.report.properties import MEASURES, properties_table
from wsframework.pipeline.single import Run
from wsframework.spaces import Weights
from wsframework.tasks import OBJECTIVES
from wsframework.zoo import NoZoo, Zoo

RUN = Run(tiny(), REGISTRY, Path("nowhere"), "cpu")
TASKS, SEEN = RUN.judged, RUN.splits.seen
COUNT = 12


def networks(count: int) -> torch.Tensor:
    return 2 * RUN.architecture.initialize(RUN.family.shape, count, torch.Generator().manual_seed(0))


def zoo() -> Zoo:
    return Zoo(Weights(RUN.space, networks(COUNT)), torch.arange(COUNT), SEEN, torch.zeros(COUNT))


def no_zoo() -> Zoo:
    return NoZoo(SEEN)


def draws(count: int) -> torch.Tensor:
    return networks(len(TASKS) * count).unflatten(0, (-1, count))


def test_every_measure_has_a_figure_and_a_row() -> None:
    found = {"prior": of_draws(RUN.architecture, TASKS, draws(3), zoo), "zoo": of_zoo(RUN.architecture, zoo)}
    figures = {name: property_figures(one, 0) for name, one in found.items()}
    assert set(figures["prior"]) == {*MEASURES, "not_applicable"}
    assert not figures["prior"]["not_applicable"]
    for name in ("disagreement", "weight_distance", "collapse_within", "barrier_unaligned"):
        low, mean, high = (figures["prior"][name][end] for end in ("low", "mean", "high"))
        assert 0 < low < mean
        assert high is None or high > mean
    assert figures["prior"]["barrier"]["mean"] < figures["prior"]["barrier_unaligned"]["mean"]
    assert figures["zoo"].keys() < figures["prior"].keys()
    table = properties_table({"properties": figures, "statistics": {"level": 0.95}})
    assert [row.cells[0].text for row in table.rows] == list(MEASURES.values())


def test_what_is_not_applicable_says_why() -> None:
    tasks = [replace(t, query=replace(t.query, y=torch.zeros(16, 2))) for t in TASKS]
    squares = [replace(t, objective=OBJECTIVES["regression"]) for t in tasks]
    found = of_draws(RUN.architecture, squares, draws(1), no_zoo)
    assert set(found.reasons) == {"calibration", "disagreement", "weight_distance", "collapse", "barrier"}
    assert "mse" in found.reasons["calibration"]
    assert "sample.draws" in found.reasons["disagreement"]
    assert set(property_figures(found, 0)) == {"not_applicable"}
    assert set(of_zoo(RUN.architecture, no_zoo).reasons) == {"calibration", "weight_distance", "collapse"}


def test_seeds_pool_what_all_of_them_have() -> None:
    whole, part = of_draws(RUN.architecture, TASKS, draws(2), zoo), of_draws(RUN.architecture, TASKS, draws(2), no_zoo)
    pooled = pooled_properties([whole, part])
    assert len(pooled.values["disagreement"]) == 2 * len(TASKS)
    assert "barrier" not in pooled.values
    assert set(pooled.reasons) == {"barrier"}


COST = {"zoo": {"seconds": 30.0}, "prior": {"seconds": 10.0}, "finetune-random": {"seconds": 8.0}}
COST["initialize-prior"] = {"seconds": 1.0}


@pytest.mark.parametrize("repeats", [1, 2])
def test_a_zoo_pays_for_itself_by_what_a_task_saves(repeats: int) -> None:
    """One half of the tasks save 8 of 10 steps, the others none: 4, and of 4 tasks a run 8 / 4 * 0.4 seconds each."""
    losses = torch.full((4 * repeats, 1, 11), 1.0)
    losses[..., 10] = 0.1
    sooner = losses.clone()
    sooner[::2, :, 2:] = 0.1
    sooner[1::2] = 1.0
    curves = {"random": curves_from("random", losses), "prior": curves_from("prior", sooner)}
    found = break_even(curves, COST, 400, repeats, "random", "prior")
    assert found["saved_steps"] == 4
    assert found["saved_seconds"] == pytest.approx(8 / 4 * 0.4 - 1 / 4)
    assert found["tasks_by_steps"] == 100
    assert found["tasks_by_seconds"] == pytest.approx(40 / 0.55)


def test_what_saves_nothing_never_pays() -> None:
    losses = torch.linspace(1, 0.1, 11).expand(3, 1, 11)
    curves = {"random": curves_from("random", losses), "prior": curves_from("prior", losses)}
    found = break_even(curves, COST, 400, 1, "random", "prior")
    assert (found["saved_steps"], found["tasks_by_steps"], found["tasks_by_seconds"]) == (0, None, None)
    unknown = {name: cost for name, cost in COST.items() if name != "prior"}
    assert set(break_even(curves, unknown, 400, 1, "random", "prior")) == {"saved_steps", "tasks_by_steps"}
    assert break_even(curves, COST, 0, 1, "random", "prior") == {}
    assert break_even({"prior": curves["prior"]}, COST, 400, 1, "random", "prior") == {}
