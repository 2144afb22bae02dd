"""Figures of votes, with intervals over tasks."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from wsframework.pipeline.comparison import single
from wsframework.pipeline.intervals import Kind, Resampling
from wsframework.pipeline.several import Vote
from wsframework.tasks import Objective


def vote_figures(vote: Vote, objective: Objective, seed: int) -> dict[str, Any]:
    """Loss and metric on query data, of single networks and of the vote, and the paired gain in each.

    A gain is above 0 where the vote is better.
    """
    metric_kind: Kind = "bounded" if objective.higher_is_better else "positive"
    direction = 1 if objective.higher_is_better else -1
    resampling = Resampling.draw(len(vote.vote_loss), 4000, 0.95, seed)
    values: dict[str, tuple[Tensor, Kind]] = {
        "single_query_loss": (vote.single_loss, "positive"),
        "vote_query_loss": (vote.vote_loss, "positive"),
        "single_query_metric": (vote.single_metric, metric_kind),
        "vote_query_metric": (vote.vote_metric, metric_kind),
        "loss_gain": (vote.single_loss - vote.vote_loss, "bounded"),
        "metric_gain": (direction * (vote.vote_metric - vote.single_metric), "bounded"),
    }
    figures = {name: single(value.double().numpy(), resampling, kind) for name, (value, kind) in values.items()}
    return {"members": vote.members, **figures}
