"""The report's first sentences: what the run showed, and what it did not show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wsframework.pipeline.report.numbers import between, measure, number

RIVALS = ("nearest", "hypernetwork")
"""Initializers that get a sentence of their own, after the baseline."""

MOMENTS = {"before": "before any step", "last": "after the last epoch"}


def findings(scores: Mapping[str, Any]) -> list[str]:
    """Sentences, the most important first."""
    reference = scores["reference"]
    if reference not in scores["curves"]:
        return [_leader(scores), f"There is no {reference!r} among the initializers, so no paired comparison was made."]
    told = [_standing(scores)]
    told += [_against(scores, rival) for rival in (scores["baseline"], *RIVALS) if rival in scores["comparisons"]]
    return [*told, *_speed(scores)]


def level(scores: Mapping[str, Any]) -> str:
    """The nominal coverage as reports write it, "95 %"."""
    return f"{100 * scores['statistics']['level']:g} %"


def compared(found: Mapping[str, Any], level: str) -> str:
    """A paired difference of log loss in words, from the reference's side."""
    times, low, high = found["times"], found["times_low"], found["times_high"]
    if low is None or high is None:
        return f"{number(times)} times lower, without an interval (too few tasks)"
    if found["worse"]:
        return f"{number(1 / times)} times higher ({level} interval {between(1 / high, 1 / low)})"
    text = f"{number(times)} times lower ({level} interval {between(low, high)})"
    return text if found["better"] else f"not shown to differ: {text}"


def _standing(scores: Mapping[str, Any]) -> str:
    name, metric = scores["reference"], scores["metric"]["name"]
    loss, quality = scores["curves"][name]["train_loss"], scores["curves"][name]["query_metric"]
    interval = between(loss["low"][0], loss["high"][0])
    interval = f" ({level(scores)} interval {interval})" if interval else ""
    return (
        f"On {scores['n']} tasks never seen, networks from {name!r} have a mean support loss of "
        f"{number(loss['mean'][0])}{interval} before any step, and a query {metric} of "
        f"{measure(quality['mean'][0], metric)}."
    )


def _against(scores: Mapping[str, Any], rival: str) -> str:
    found = scores["comparisons"][rival]
    parts = [f"{when}, {compared(found[m]['train_loss'], level(scores))}" for m, when in MOMENTS.items()]
    return f"Its support loss against {rival!r}: {'; '.join(parts)}."


def _speed(scores: Mapping[str, Any]) -> list[str]:
    speed = scores.get("speedup", {}).get(scores["reference"])
    if speed is None:
        return []
    steps, baseline = scores["budget"]["steps"], scores["baseline"]
    goal = f"the support loss that {baseline!r} has after all {steps} gradient steps"
    if speed["median"] is None:
        return [f"On {100 * speed['never']:.0f} % of the tasks it never reached {goal}."]
    interval = between(speed["median_low"], speed["median_high"])
    never = f"; it never did on {100 * speed['never']:.1f} % of the tasks" if speed["never"] else ""
    interval = f", {level(scores)} interval {interval}" if interval else ""
    return [f"It reached {goal} in {number(speed['median'])} times fewer steps (median over tasks{interval}){never}."]


def _leader(scores: Mapping[str, Any]) -> str:
    losses = {name: c["train_loss"]["mean"][0] for name, c in scores["curves"].items()}
    best = min(losses, key=lambda name: losses[name])
    return f"On {scores['n']} tasks never seen, {best!r} has the lowest mean support loss before any step: " + (
        f"{number(losses[best])}."
    )
