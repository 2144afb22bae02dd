"""Evidence of several seeds pools: tasks add up, cost is averaged, and what one seed lacks is said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from made_curves import falling
from tiny import tiny

from wsframework.pipeline.evidence import Evidence, pooled
from wsframework.pipeline.report.costs import cost_tables
from wsframework.pipeline.several import Vote
from wsframework.tasks import OBJECTIVES


def evidence(seed: int, *names: str, **changes: Any) -> Evidence:
    """What a run with this seed found, in which ``names`` took part."""
    given = Evidence(
        config=tiny(seed=seed),
        objective=OBJECTIVES["classification"],
        roles=dict.fromkeys(names, "learned"),
        curves={name: falling(name, 1.0, seed, tasks=3) for name in names},
        reasons={},
        votes={name: Vote(*(torch.full((3,), float(seed)) for _ in range(4)), members=2) for name in names},
        facts={"split": seed, "tasks": {"digest": str(seed)}},
        cost={"zoo": {"seconds": 2.0 * seed}, **{f"finetune-{name}": {"seconds": 4.0} for name in names}},
    )
    return replace(given, **changes)


def test_tasks_add_up_and_cost_is_averaged() -> None:
    found = pooled([evidence(1, "prior"), evidence(2, "prior")])
    assert found.curves["prior"].tasks == 6
    assert found.votes["prior"].vote_loss.tolist() == [1, 1, 1, 2, 2, 2]
    assert found.cost == {"zoo": {"seconds": 3.0}, "finetune-prior": {"seconds": 4.0}}
    assert found.facts["split"] == 1
    digests = {pooled([evidence(k, "prior") for k in seeds]).facts["tasks"]["digest"] for seeds in ([1], [2], [1, 2])}
    assert len(digests) == 3
    assert not found.reasons


def test_what_a_later_seed_lacks_is_said_and_left_out() -> None:
    """The first run has the initializer and its vote, the second a reason instead."""
    second = evidence(2, "prior", reasons={"search": "There is no way."})
    for runs in ([evidence(1, "search", "prior"), second], [second, evidence(1, "search", "prior")]):
        found = pooled(runs)
        assert set(found.curves) == set(found.votes) == {"prior"}
        reason = found.reasons["search"]
        assert reason == "There is no way. So it is with seed 2; figures over all seeds leave it out."
        assert found.cost["finetune-search"] == {"seconds": 2.0}
        assert set(found.roles) == {"search", "prior"}


def test_a_reason_that_holds_always_is_told_as_it_is() -> None:
    runs = [evidence(seed, "prior", reasons={"search": "There is no way."}) for seed in (1, 2)]
    assert pooled(runs).reasons == {"search": "There is no way."}


def test_a_mean_cost_says_that_it_is_one() -> None:
    cost = {"zoo": {"seconds": 2.0}}
    assert "Mean over 3 seeds" in cost_tables({"cost": cost, "repeats": 3})[0].caption
    assert cost_tables({"cost": cost, "repeats": 1})[0].caption == ""
