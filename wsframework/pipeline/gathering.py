"""Going through the stages of a run in the order of the data, for all that scores are made of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from torch import Tensor

from wsframework.config.writing import to_toml
from wsframework.parts.interfaces import Initializer
from wsframework.pipeline.curves import Curves
from wsframework.pipeline.evidence import Evidence
from wsframework.pipeline.judged import tasks_digest
from wsframework.pipeline.novelty import distances
from wsframework.pipeline.pictures import SHOWN
from wsframework.pipeline.properties import Properties, of_draws, of_zoo
from wsframework.pipeline.several import Vote, vote
from wsframework.pipeline.single import Run
from wsframework.store import write_atomic
from wsframework.training import Budget


def gather(run: Run) -> Evidence:
    """Zoo, prior, weights from every initializer, fine-tuning, and the audit of the prior's weights."""
    write_atomic(run.out / "config.toml", to_toml(run.config))
    _ = run.zoo, run.prior  # first, so that no other stage's seconds hold theirs
    curves: dict[str, Curves] = {}
    reasons: dict[str, str] = {}
    votes: dict[str, Vote] = {}
    shown: dict[str, Tensor] = {}
    audited: dict[str, Any] = {}
    properties: dict[str, Properties] = {}
    for name in run.config.compare.initializers:
        initial = run.initial(name)
        if initial.reason:
            reasons[name] = initial.reason
            continue
        curves[name] = run.curves(name, run.start(name, initial.x))
        audited |= {"memorization": found} if name == "prior" and (found := run.audit(initial.x)) else {}
        shown[name] = initial.x[:SHOWN, 0]
        if name in run.config.compare.best_of:
            chosen = initial.x[:, : run.config.sample.best_of]
            label = f"{name} (best of {chosen.shape[1]})"
            curves[label] = run.curves(label, run.start(label, initial.x))
            votes[name] = vote(run.architecture, run.judged, chosen)
            properties[name] = of_draws(run.architecture, run.judged, chosen, lambda: run.zoo)
    if properties:
        properties["zoo"] = of_zoo(run.architecture, lambda: run.zoo)
    facts, pictures, roles = _facts(run) | audited, run.pictures(shown), _roles(run, curves)
    cost = dict(run.cost)
    return Evidence(run.config, run.objective, roles, curves, reasons, votes, facts, cost, pictures, properties)


def _roles(run: Run, labels: Iterable[str]) -> dict[str, str]:
    """Each label's group in reports: that of the initializer which it begins with."""
    every = [*run.config.compare.initializers, *labels]
    return {n: cast(type[Initializer], run.registry.get("initializer", n.split(" (")[0])).role for n in every}


def _facts(run: Run) -> dict[str, Any]:
    """What scores say about tasks, zoo and prior."""
    return {
        "split": {"drawn": run.splits.drawn, **distances(run.prior.describe(run.judged), run.features)},
        "tasks": {
            "seen": len(run.splits.seen),
            "held_out": len(run.splits.held_out),
            "judged": run.config.tasks.judge,
            "digest": tasks_digest(run.judged),
        },
        "zoo": _zoo_facts(run),
        "prior": {
            "parameters": sum(p.numel() for p in run.prior.parameters()),
            "denoiser_parameters": sum(p.numel() for p in run.prior.denoiser.parameters()),
        },
    }


def _zoo_facts(run: Run) -> dict[str, Any]:
    """Those of the zoo, and where there is one, the gradient steps of all its networks together."""
    facts, section = run.zoo.facts(), run.config.zoo
    budget = Budget.of_epochs(section.epochs, section.lr, section.batch, len(run.splits.seen[0].support))
    return {**facts, "steps": facts["size"] * budget.steps} if facts["size"] else facts
