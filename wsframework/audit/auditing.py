"""`audit`: samples of a generator, the zoo that it learned from, and what the one has of the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from wsframework.audit.bar import Bar
from wsframework.audit.nearest import Nearest, Targets
from wsframework.audit.references import reference_groups
from wsframework.audit.verdict import Verdict, judged
from wsframework.errors import RequestError
from wsframework.randomness import generator
from wsframework.spaces import Weights

PEERS = 200
"""The zoo's own networks that samples are compared with, at most."""
CANDIDATES = 16
"""Networks of the zoo that each network is aligned with."""

Overlap = Callable[[Tensor, Tensor | None], Tensor]
"""From networks (networks, size), and for those of the zoo their numbers, to `largest_overlap` with it (networks,)."""


@dataclass(frozen=True, eq=False)
class Group:
    """Networks of one kind, and what is nearest to them.

    Attributes:
        nearest: in the zoo.
        verdict: on them.
        overlap: the largest overlap of their wrong predictions with those of any network of the zoo, (networks,); None
            where predictions were not asked for.
    """

    nearest: Nearest
    verdict: Verdict
    overlap: Tensor | None

    def facts(self) -> dict[str, Any]:
        """Its figures, in JSON's types."""
        wrong = None if self.overlap is None else self.overlap[~self.overlap.isnan()]
        return {
            "distance": _quantiles(self.nearest.distance),
            "ratio": self.nearest.ratio.median().item(),
            "proven": self.nearest.proven.double().mean().item(),
            "overlap": None if wrong is None or not len(wrong) else _quantiles(wrong),
            **{key: value for key, value in asdict(self.verdict).items() if key != "sentence"},
        }


@dataclass(frozen=True, eq=False)
class Audit:
    """What an audit found.

    Attributes:
        groups: ``samples``; ``zoo``, its own networks, each left out in turn; ``test``, where there are such; and
            those of `wsframework.audit.references`.
        bar: what counts as near.
        zoo: how many networks it has.
        candidates: of them, how many each network was aligned with.
    """

    groups: dict[str, Group]
    bar: Bar
    zoo: int
    candidates: int

    @property
    def verdict(self) -> Verdict:
        """On the samples."""
        return self.groups["samples"].verdict

    def facts(self) -> dict[str, Any]:
        """All figures, in JSON's types."""
        return {
            "verdict": self.verdict.sentence,
            "zoo": self.zoo,
            "candidates": self.candidates,
            "bar": asdict(self.bar),
            "groups": {name: group.facts() for name, group in self.groups.items()},
        }


def audit(
    samples: Weights,
    zoo: Weights,
    *,
    test: Weights | None = None,
    candidates: int = CANDIDATES,
    overlap: Overlap | None = None,
    seed: int = 0,
) -> Audit:
    """Tell whether ``samples`` are copies of networks of the ``zoo``, averages of them, or neither.

    Every network's distance to its nearest one of the zoo is the least over the symmetries of their space, so that a
    copy with its neurons in another order, and other scales and signs, is a copy. What is near enough to be
    one is told by the zoo's own networks, each of them left out in turn: samples that were drawn as they were lie as
    near to the zoo as they do.

    Arguments:
        test: networks that were trained as the zoo's were and not shown to the generator; they take the place of
            the zoo's own.
        candidates: how many networks of the zoo each network is aligned with.
        overlap: what gives the overlap of wrong predictions.
        seed: of the networks of the zoo that stand for all, and of the references.

    Raises:
        RequestError: without samples.
        SpaceError: where the networks are not of one space, or the zoo has fewer than two.
    """
    if not len(samples) or (test is not None and not len(test)):
        raise RequestError("an audit needs at least one network to judge; there is none")
    targets = Targets(zoo)
    rows = torch.randperm(len(zoo), generator=generator(seed, "audit", "peers"))[:PEERS].sort().values
    peers = targets.among(rows, candidates)
    others = peers if test is None else targets.nearest(test, candidates)
    bar = Bar.of(others)

    def group(x: Tensor, found: Nearest, own: Tensor | None = None) -> Group:
        return Group(found, judged(found, others, bar), None if overlap is None else overlap(x, own))

    kinds = {"samples": samples} | ({} if test is None else {"test": test})
    kinds |= reference_groups(zoo, len(samples), generator(seed, "audit", "references"))
    groups = {name: group(kind.x, targets.nearest(kind, candidates)) for name, kind in kinds.items()}
    groups["zoo"] = group(zoo.x[rows], peers, rows)
    order = ("samples", "zoo", "test", *kinds)
    return Audit({name: groups[name] for name in dict.fromkeys(order) if name in groups}, bar, len(zoo), candidates)


def _quantiles(values: Tensor) -> dict[str, float]:
    return {"min": values.min().item(), "median": values.median().item(), "max": values.max().item()}
