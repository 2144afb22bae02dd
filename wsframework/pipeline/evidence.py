"""`Evidence`: what a run found, before it is counted; that of several seeds pools into one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from wsframework.config.sections import Config
from wsframework.pipeline.curves import Curves
from wsframework.pipeline.evaluate import pool
from wsframework.pipeline.judged import joined
from wsframework.pipeline.pictures import Shown
from wsframework.pipeline.properties import Properties, pooled_properties
from wsframework.pipeline.several import Vote
from wsframework.tasks import Objective


@dataclass(frozen=True, eq=False)
class Evidence:
    """The outcome of one seed, or of several.

    Attributes:
        config: of the (first) run.
        objective: the tasks' loss and metric.
        roles: each initializer's group.
        curves: what fine-tuning gave.
        reasons: why an initializer was not applicable.
        votes: of several draws.
        facts: about tasks, zoo and prior, as they go into scores.json.
        cost: ``stage -> {"seconds": ...}``.
        pictures: what networks say of the first tasks, where the family has pictures.
        properties: of several draws from an initializer, and of the zoo's networks.
    """

    config: Config
    objective: Objective
    roles: Mapping[str, str]
    curves: Mapping[str, Curves]
    reasons: Mapping[str, str]
    votes: Mapping[str, Vote]
    facts: Mapping[str, Any]
    cost: Mapping[str, Mapping[str, float]]
    pictures: Sequence[Shown] = ()
    properties: Mapping[str, Properties] = field(default_factory=dict)


def pooled(runs: Sequence[Evidence]) -> Evidence:
    """The evidence of all ``runs``: every (seed, task) counts as a task; mean cost a seed; the rest of the first.

    An initializer without an answer in some run is left out, and that is its reason.
    """
    names = [name for name in runs[0].votes if all(name in run.votes for run in runs)]
    stages = dict.fromkeys(stage for run in runs for stage in run.cost)
    spent = {stage: sum(run.cost.get(stage, {"seconds": 0.0})["seconds"] for run in runs) for stage in stages}
    return replace(
        runs[0],
        roles={name: role for run in reversed(runs) for name, role in run.roles.items()},
        curves=pool([run.curves for run in runs]),
        reasons=_pooled_reasons(runs),
        votes={name: _pooled_votes([run.votes[name] for run in runs]) for name in names},
        facts=_pooled_facts(runs),
        cost={stage: {"seconds": seconds / len(runs)} for stage, seconds in spent.items()},
        properties={
            name: pooled_properties([run.properties[name] for run in runs])
            for name in runs[0].properties
            if all(name in run.properties for run in runs)
        },
    )


def _pooled_facts(runs: Sequence[Evidence]) -> dict[str, Any]:
    """Those of the first run, with a name for the tasks of all."""
    tasks = dict(runs[0].facts["tasks"])
    return {**runs[0].facts, "tasks": {**tasks, "digest": joined([run.facts["tasks"]["digest"] for run in runs])}}


def _pooled_reasons(runs: Sequence[Evidence]) -> dict[str, str]:
    """Each initializer's first reason; where other runs have none, with the seeds that it holds for."""
    found: dict[str, str] = {}
    for name in dict.fromkeys(name for run in runs for name in run.reasons):
        seeds = [run.config.seed for run in runs if name in run.reasons]
        reason = next(run.reasons[name] for run in runs if name in run.reasons)
        some = f" So it is with seed {', '.join(map(str, seeds))}; figures over all seeds leave it out."
        found[name] = reason + (some if len(seeds) < len(runs) else "")
    return found


def _pooled_votes(votes: Sequence[Vote]) -> Vote:
    def of_all(name: str) -> torch.Tensor:
        return torch.cat([getattr(vote, name) for vote in votes])

    return Vote(
        of_all("single_loss"),
        of_all("single_metric"),
        of_all("vote_loss"),
        of_all("vote_metric"),
        votes[0].members,
    )
