"""After how many new tasks a zoo and its prior have paid for themselves."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from wsframework.pipeline.curves import Curves

Cost = Mapping[str, Mapping[str, float]]


def break_even(
    curves: Mapping[str, Curves], cost: Cost, zoo_steps: int, repeats: int, baseline: str, reference: str
) -> dict[str, float | None]:
    """What the reference saves on a new task, against what it cost beforehand.

    A task is served when its support loss is down at the one that the baseline comes to with the whole budget. The
    reference saves the rest of the budget from then on; where it never gets there, nothing. A step costs what it
    did in the baseline's fine-tuning, and a task further what drawing its weights did.

    Arguments:
        curves: of all runs together.
        cost: of each stage, the mean over runs, as in scores.
        zoo_steps: gradient steps of all the zoo's networks, of one run.
        repeats: how many runs there are.

    Returns:
        ``saved_steps`` and ``saved_seconds``, means a task (the second may be negative); ``tasks_by_steps``, by which
        the zoo's gradient steps have come back (those of the prior are of another network, and not counted);
        ``tasks_by_seconds``, by which the seconds of zoo and prior have. None where that is never. Where the cost of
        a stage is not known, as of a training that is shared with other networks, there is no figure of seconds;
        and nothing at all without a zoo, or without one of the initializers.
    """
    if not zoo_steps or baseline not in curves or reference not in curves:
        return {}
    saved = _saved_steps(curves[baseline], curves[reference])
    tasks = curves[baseline].tasks / repeats
    known = [seconds / tasks for seconds in _known(cost, f"finetune-{baseline}", f"initialize-{reference}")]
    before = _known(cost, "zoo", "prior")
    found = {"saved_steps": saved, "tasks_by_steps": _tasks(zoo_steps, saved)}
    if not before or not known:
        return found
    seconds = _saved_seconds(saved, curves[baseline], *known)
    return {**found, "saved_seconds": seconds, "tasks_by_seconds": _tasks(sum(before), seconds)}


def _tasks(spent: float, saved: float) -> float | None:
    return spent / saved if saved > 0 else None


def _saved_steps(theirs: Curves, ours: Curves) -> float:
    target = theirs.step_loss.double().mean(1)[:, -1:]
    reached = (ours.step_loss.double().mean(1) <= target).numpy()
    first = np.asarray(ours.steps, dtype=np.float64)[reached.argmax(1)]
    return float(np.where(reached.any(1), ours.steps[-1] - first, 0.0).mean())


def _saved_seconds(saved: float, theirs: Curves, finetuning: float, drawing: float) -> float:
    """A task's: what the saved steps would have cost, less what its weights do; of seconds a task of both stages."""
    return finetuning / theirs.draws * saved / theirs.steps[-1] - drawing


def _known(cost: Cost, *stages: str) -> list[float]:
    """Seconds of these stages, or nothing where one has none."""
    return [cost[stage]["seconds"] for stage in stages] if all(stage in cost for stage in stages) else []
