"""What a run comes to, in a few sentences: who is ahead of whom, by how much, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wsframework.pipeline.report.findings import MOMENTS, compared, level
from wsframework.pipeline.report.numbers import measure

Scores = Mapping[str, Any]
Found = Mapping[str, Mapping[str, Any]]


def verdict(scores: Scores) -> list[str]:
    """Sentences, to be read before all others; none where there is no reference or nothing to compare it with."""
    rivals = {n: c for n, c in scores["comparisons"].items() if _counts(n, scores)}
    if not rivals:
        return []
    told = [_standing({n: c[m]["train_loss"] for n, c in rivals.items()}, m, scores) for m in MOMENTS]
    quality = {n: c["before"]["query_metric"] for n, c in rivals.items()}
    return [*told, _quality(quality, scores), _controls(scores), _certainty(scores)]


def called(scores: Scores) -> str:
    """The reference, as sentences call it."""
    return "the prior" if scores["reference"] == "prior" else str(scores["reference"])


def capital(text: str) -> str:
    """``text`` at the beginning of a sentence."""
    return text[:1].upper() + text[1:]


def _counts(name: str, scores: Scores) -> bool:
    """Whether it is a rival: no control, and no choice among several draws."""
    return " (best of" not in name and scores["roles"].get(name) != "control"


def _standing(found: Found, moment: str, scores: Scores) -> str:
    """Whether the reference is first by support loss; else who is, and by how much."""
    name, when = called(scores), MOMENTS[moment].capitalize()
    ahead, level_with, behind = _sorted(found)
    if ahead:
        told = f"{when}, {name} is not first: {ahead[0]} is. Against it, the support loss from {name} is "
        told += compared(found[ahead[0]], level(scores))
        rest = [*_named("also behind", ahead[1:]), *_named("level with", level_with), *_named("ahead of", behind)]
        return f"{told}. {capital(name)} is {'; '.join(rest)}." if rest else f"{told}."
    if level_with:
        others = f"; ahead of {_listed(behind)}" if behind else ""
        return f"{when}, {name} shares the first place: by support loss it is not shown to differ from " + (
            f"{_listed(level_with)}{others}."
        )
    told = f"{when}, {name} is first: its support loss is lower than from {_listed(behind)}"
    return f"{told}; against {behind[0]}, the nearest rival, {compared(found[behind[0]], level(scores))}."


def _sorted(found: Found) -> tuple[list[str], list[str], list[str]]:
    """Who is ahead of the reference, level with it, and behind it; each group begins with the best."""
    names = sorted(found, key=lambda n: float(found[n]["times"] if found[n].get("times") is not None else 1.0))
    ahead = [n for n in names if found[n]["worse"]]
    behind = [n for n in names if found[n]["better"]]
    return ahead, [n for n in names if n not in ahead and n not in behind], behind


def _quality(found: Found, scores: Scores) -> str:
    """How good the reference is on data that no network was trained on."""
    name, metric = called(scores), scores["metric"]["name"]
    mean = measure(scores["curves"][scores["reference"]]["query_metric"]["mean"][0], metric)
    ahead, level_with, behind = _sorted(found)
    parts = [*_named("better than", behind), *_named("not shown to differ from", level_with)]
    parts += _named("worse than", ahead)
    return f"On query data, the {metric} from {name} before any step is {mean}: {'; '.join(parts)}."


def _controls(scores: Scores) -> str:
    """Of the controls, those that are ahead."""
    name = called(scores)
    controls = {n: c for n, c in scores["comparisons"].items() if scores["roles"].get(n) == "control"}
    if not controls:
        return "There were no controls."
    parts = []
    for moment, when in MOMENTS.items():
        ahead = [n for n, c in controls.items() if c[moment]["train_loss"]["worse"]]
        parts.append(f"{_listed(ahead) if ahead else 'none'} {when}")
    return f"Of the controls ({_listed(list(controls))}), ahead of {name} by support loss: {'; '.join(parts)}."


def _certainty(scores: Scores) -> str:
    """What the intervals are over, and what they are not."""
    repeats, count = scores.get("repeats", 1), len(MOMENTS) * len(scores["comparisons"])
    trainings = f"{repeats} trainings, pooled" if repeats > 1 else "one training"
    return (
        f"How sure: the {level(scores)} intervals are over {scores['n']} tasks never seen, of {trainings}: they do not "
        f"say how much another training would differ, nor are they adjusted for {count} comparisons of support loss."
    )


def _named(what: str, names: Sequence[str]) -> list[str]:
    return [f"{what} {_listed(names)}"] if names else []


def _listed(names: Sequence[str]) -> str:
    """Names as people list them.

    >>> _listed(["a"]), _listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
