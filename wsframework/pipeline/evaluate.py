"""The stage that turns fine-tuning curves into the figures of ``scores.json``, with intervals over tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from wsframework.errors import WsfError
from wsframework.pipeline.comparison import (
    FLOOR,
    area,
    geometric,
    log_difference,
    metric_difference,
    single,
    speedup,
    summary,
)
from wsframework.pipeline.curves import Curves, concatenate
from wsframework.pipeline.intervals import Array, Kind, Resampling
from wsframework.pipeline.pairs import MOMENTS, QUANTITY, adjust, pairs

CEILING = 1e6
"""A loss that is larger or not a number counts as this, and the scores' notes say so."""

QUANTITIES = ("train_loss", "query_loss", "query_metric")


def evaluate(
    curves: Mapping[str, Curves],
    metric: str,
    higher_is_better: bool,
    *,
    baseline: str = "random",
    reference: str = "prior",
    roles: Mapping[str, str] | None = None,
    not_applicable: Mapping[str, str] | None = None,
    seed: int = 0,
    resamples: int = 4000,
    level: float = 0.95,
) -> dict[str, Any]:
    """Curves, areas, speed-ups and paired comparisons of every initializer, ready for JSON.

    Tasks are what is resampled; draws are averaged within a task. An interval that can't be had (a single
    task) is None. Comparisons are of ``reference`` with every other initializer; one named ``"x (best of 8)"``
    is compared with ``"reference (best of 8)"`` where that is present. Their intervals are not adjusted for
    the number of comparisons; p-values are given before and after Holm's correction.

    Arguments:
        curves: by initializer, all for the same tasks in the same order and the same budget.
        metric: the metric's name.
        higher_is_better: which way it is good.
        baseline: whose final training loss the speed-up is measured against.
        reference: the initializer that the others are compared with.
        roles: "untrained", "learned" or "control", by initializer.
        not_applicable: a sentence for each initializer that had no answer.
        seed: of the bootstrap.
        resamples: of the bootstrap.
        level: nominal coverage of the intervals.

    Raises:
        WsfError: if the curves are of different tasks or budgets, or there are none.
    """
    _check(curves)
    metric_kind: Kind = "bounded" if higher_is_better else "positive"
    arrays = {name: _arrays(c, metric_kind) for name, c in curves.items()}
    first = next(iter(curves.values()))
    resampling = Resampling.draw(first.tasks, resamples, level, seed)
    kinds: dict[str, Kind] = {"train_loss": "positive", "query_loss": "positive", "query_metric": metric_kind}
    return {
        "metric": {"name": metric, "higher_is_better": higher_is_better},
        "n": first.tasks,
        "draws": first.draws,
        "budget": {"epochs": first.epoch_loss.shape[-1], "steps": first.steps[-1]},
        "baseline": baseline,
        "reference": reference,
        "statistics": {"level": level, "resamples": resamples, "seed": seed, "floor": FLOOR},
        "roles": dict(roles or {}),
        "not_applicable": dict(not_applicable or {}),
        "curves": {n: _curves(a, kinds, resampling, metric) for n, a in arrays.items()},
        "epoch_loss": {n: summary(a["epoch_loss"].mean(1), resampling, "positive") for n, a in arrays.items()},
        "typical": {n: _typical(a, resampling) for n, a in arrays.items()},
        "area": {n: _areas(a, kinds, resampling) for n, a in arrays.items()},
        "comparisons": _comparisons(arrays, reference, higher_is_better, resampling),
        **pairs({n: a[QUANTITY] for n, a in arrays.items()}, level),
        "notes": [note for name, c in curves.items() if (note := _divergence(name, c))],
        **({"regret": _regrets(arrays, resampling)} if "nearest" in arrays else {}),
        **({"speedup": _speedups(curves, arrays, baseline, resampling)} if baseline in arrays else {}),
    }


def pool(runs: Sequence[Mapping[str, Curves]]) -> dict[str, Curves]:
    """The curves of several runs (seeds) as one: every (run, task) is a task of its own.

    Only initializers that every run has are kept, in the first run's order.
    """
    names = [name for name in runs[0] if all(name in run for run in runs)]
    return {name: concatenate(tuple(run[name] for run in runs)) for name in names}


def _check(curves: Mapping[str, Curves]) -> None:
    budgets = {name: (c.tasks, c.epoch_loss.shape[-1], c.steps[-1]) for name, c in curves.items()}
    if len(set(budgets.values())) != 1:
        told = "; ".join(f"{n}: {t} tasks, {e} epochs, {s} steps" for n, (t, e, s) in budgets.items()) or "none given"
        raise WsfError(f"initializers are compared on the same tasks at the same budget, but the curves differ: {told}")


def _arrays(curves: Curves, metric_kind: Kind) -> dict[str, Array]:
    """The tensors in float64 with losses in [0, `CEILING`]; so is a metric of which less is better."""
    arrays = {name: t.detach().cpu().numpy().astype(np.float64) for name, t in curves.to_tensors().items()}
    for name, values in arrays.items():
        if name != "query_metric" or metric_kind == "positive":
            arrays[name] = np.clip(np.nan_to_num(values, nan=CEILING, posinf=CEILING), 0, CEILING)
        else:
            arrays[name] = np.nan_to_num(values, nan=0.0, posinf=CEILING, neginf=-CEILING)
    return arrays


def _divergence(name: str, curves: Curves) -> str | None:
    """A sentence where a loss left the range that means are taken over."""
    losses = curves.train_loss
    diverged = (~losses.isfinite() | (losses > CEILING)).flatten(1).any(1)
    if not diverged.any():
        return None
    return (
        f"From {name!r}, the training loss on {int(diverged.sum())} of {curves.tasks} tasks went beyond {CEILING:g} "
        f"or was not a number; it counts as {CEILING:g} there."
    )


def _curves(
    arrays: Mapping[str, Array], kinds: Mapping[str, Kind], resampling: Resampling, metric: str
) -> dict[str, Any]:
    found = {name: summary(arrays[name].mean(1), resampling, kind) for name, kind in kinds.items()}
    return {**found, "query_accuracy": found["query_metric"]} if metric == "accuracy" else found


def _typical(arrays: Mapping[str, Array], resampling: Resampling) -> dict[str, Any]:
    return {name: geometric(arrays[name], resampling) for name in ("train_loss", "query_loss")}


def _areas(arrays: Mapping[str, Array], kinds: Mapping[str, Kind], resampling: Resampling) -> dict[str, Any]:
    return {name: single(area(arrays[name].mean(1)), resampling, kind) for name, kind in kinds.items()}


def _regrets(arrays: Mapping[str, Mapping[str, Array]], resampling: Resampling) -> dict[str, Any]:
    """By how much the area under each curve is larger than from the nearest network, paired over tasks."""
    least = {q: area(arrays["nearest"][q].mean(1)) for q in QUANTITIES}
    return {
        n: {q: single(area(a[q].mean(1)) - least[q], resampling, "difference") for q in QUANTITIES}
        for n, a in arrays.items()
    }


def _speedups(
    curves: Mapping[str, Curves], arrays: Mapping[str, Mapping[str, Array]], baseline: str, resampling: Resampling
) -> dict[str, Any]:
    """Of each initializer, on the way to the training loss that the baseline comes to."""
    target = arrays[baseline]["step_loss"].mean(1)[:, -1]
    return {n: speedup(a["step_loss"].mean(1), target, curves[n].steps, resampling) for n, a in arrays.items()}


def _comparisons(
    arrays: Mapping[str, Mapping[str, Array]], reference: str, higher_is_better: bool, resampling: Resampling
) -> dict[str, Any]:
    """``comparisons.<other>.{before,last}.<quantity>``, for every initializer but the reference itself."""
    found: dict[str, Any] = {}
    for name in arrays:
        against = _reference_of(name, reference, arrays)
        if against is not None and against != name:
            found[name] = {"reference": against, "n": len(arrays[name]["train_loss"])}
            for moment, index in MOMENTS.items():
                ours = {q: arrays[against][q][..., index] for q in QUANTITIES}
                theirs = {q: arrays[name][q][..., index] for q in QUANTITIES}
                found[name][moment] = {
                    "train_loss": log_difference(ours["train_loss"], theirs["train_loss"], resampling),
                    "query_loss": log_difference(ours["query_loss"], theirs["query_loss"], resampling),
                    "query_metric": metric_difference(
                        ours["query_metric"], theirs["query_metric"], higher_is_better, resampling
                    ),
                }
    adjust(found)
    return found


def _reference_of(name: str, reference: str, names: Mapping[str, Any]) -> str | None:
    """The reference with the same suffix, as in ``"nearest (best of 8)"``; else the plain one, if present."""
    _, bracket, suffix = name.partition(" (")
    same = f"{reference}{bracket}{suffix}"
    if same in names and same != name:
        return same
    return reference if reference in names else None
