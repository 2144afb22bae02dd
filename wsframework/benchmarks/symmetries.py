"""How many permutations are found that leave a network's function as it is, beside all that there are."""

from __future__ import annotations

import math
import platform
from collections.abc import Mapping, Sequence

import torch

from wsframework.benchmarks import Row, Table
from wsframework.benchmarks.rivals.judging import SOUND, Verdict, change, randomise
from wsframework.benchmarks.rivals.running import RIVALS, Rival, verdicts
from wsframework.benchmarks.subjects.small_networks import NETWORKS, SmallNetwork
from wsframework.spaces.order import log10_permutations
from wsframework.tracing import trace

_ALL = "the full group"


def run(*, networks: Sequence[str] = tuple(NETWORKS)) -> Table:
    """Fifteen small networks, by wsframework and two rivals from PyPI, each judged alike.

    The figure is the logarithm of the number of permutations that were found and, together, leave the function as
    it is. The full group is counted by hand, from the sizes of the network. Every tool's permutations are drawn at
    random and applied to a network of random weights; what it computed before and after is compared in float64.
    Where that changes, the tool found no group, and its figure is 0.
    """
    ours = {name: _ours(NETWORKS[name]()) for name in networks}
    theirs = {rival: verdicts(rival, networks) for rival in RIVALS}
    rows = [row for name in networks for row in _rows(name, NETWORKS[name](), ours[name], theirs)]
    return Table(
        f"symmetries: log10 of the permutations found that change nothing; torch {torch.__version__}, "
        f"Python {platform.python_version()}",
        tuple(rows),
    )


def _ours(network: SmallNetwork) -> tuple[float, float]:
    """The logarithm of the number of permutations, and the relative change under a random element."""
    generator = torch.Generator().manual_seed(0)
    module = randomise(network.module, generator)
    space = trace(module, network.inputs)
    state = {name: value.double() for name, value in module.state_dict().items()}
    moved = space.random_symmetry(generator).act(state)
    return log10_permutations(space), change(module, moved, network.inputs)


def _rows(
    name: str,
    network: SmallNetwork,
    ours: tuple[float, float],
    theirs: Mapping[Rival, Mapping[str, Verdict] | None],
) -> list[Row]:
    full = log10_factorials(network.group)
    found, changed = ours
    rows = [_row(name, found if changed <= SOUND else 0.0, full, _told(changed))]
    for rival, answers in theirs.items():
        what = f"{name}: {rival.name}"
        rows.append(Row(what, None, "", note=rival.how) if answers is None else _judged(what, answers[name], full))
    return rows


def _judged(what: str, verdict: Verdict, full: float) -> Row:
    if verdict.change is None:
        return _row(what, 0.0, full, f"fails: {verdict.error}")
    claimed = log10_factorials(verdict.group)
    if not claimed:
        return _row(what, 0.0, full, "finds nothing")
    if not verdict.change <= SOUND:  # so put that "not a number" is none
        return _row(what, 0.0, full, f"{_told(verdict.change)}, by permutations of {list(verdict.group)}")
    return _row(what, claimed, full, _told(verdict.change))


def _told(changed: float) -> str:
    return f"{'sound: ' if changed <= SOUND else ''}changes the function by {changed:.1g}"


def _row(what: str, found: float, full: float, note: str) -> Row:
    return Row(what, found, "digits", f"{_ALL}, {full:.4g}", found / full, note)


def log10_factorials(sizes: Sequence[int]) -> float:
    """Of the product of the factorials."""
    return sum(math.lgamma(size + 1) for size in sizes) / math.log(10)
