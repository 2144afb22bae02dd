"""`Given`: the networks that a model is given, of one space or of several."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil

import torch
from torch import Tensor

from wsframework.errors import RequestError
from wsframework.spaces import Weights, WeightSpace
from wsframework.tasks import Task
from wsframework.zoo import Zoo

Networks = Weights | Zoo | Sequence[Weights | Zoo]
"""Networks of one space, or a list of such for several spaces."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Networks of one space: x (batch, space.size), and their places among all that were given, (batch,)."""

    space: WeightSpace
    x: Tensor
    places: Tensor


@dataclass(frozen=True, eq=False)
class Given:
    """Batches of networks, each of one space, in their order.

    Attributes:
        parts: of one space each.
        tasks: those of the zoos among them.
    """

    parts: tuple[Weights, ...]
    tasks: tuple[Task, ...] = ()

    @classmethod
    def of(cls, networks: Networks) -> Given:
        """What the user gave.

        Raises:
            RequestError: if these are no networks, or there are none.
        """
        listed: Sequence[Weights | Zoo] = [networks] if isinstance(networks, Weights | Zoo) else networks
        parts: list[Weights] = []
        tasks: list[Task] = []
        for value in listed if isinstance(listed, list | tuple) else [listed]:
            if not isinstance(value, Weights | Zoo):
                raise RequestError(
                    "networks come as wsframework.Weights, as a wsframework.Zoo, or as a list of these; "
                    f"this is of type {type(value).__name__}"
                )
            parts.append(value.weights if isinstance(value, Zoo) else value)
            tasks += value.tasks if isinstance(value, Zoo) else ()
        found = cls(tuple(parts), tuple(tasks))
        if not len(found):
            raise RequestError("a model reads at least one network; none was given")
        return found

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    @property
    def spaces(self) -> tuple[WeightSpace, ...]:
        """The different spaces, in their order."""
        return tuple(dict.fromkeys(part.space for part in self.parts))

    def check(self) -> None:
        """Nothing, where all weights are finite numbers.

        Raises:
            RequestError: naming a network that has others.
        """
        for batch in self.batches(1024):
            wrong = ~batch.x.isfinite().all(1)
            if wrong.any():
                first = int(batch.places[wrong][0])
                raise RequestError(f"network {first} has weights that are no finite numbers (NaN, or infinite)")

    def steps(self, size: int) -> int:
        """How many batches one pass has."""
        return sum(ceil(len(part) / size) for part in self.parts)

    def batches(self, size: int, generator: torch.Generator | None = None) -> Iterator[Batch]:
        """All networks, ``size`` at a time at most: in order, or with a generator in random order."""
        found: list[tuple[Weights, int, Tensor]] = []
        start = 0
        for part in self.parts:
            order = torch.arange(len(part)) if generator is None else torch.randperm(len(part), generator=generator)
            found += [(part, start, index) for index in torch.split(order, size) if len(index)]
            start += len(part)
        turns = range(len(found)) if generator is None else torch.randperm(len(found), generator=generator).tolist()
        for part, start, index in (found[turn] for turn in turns):
            yield Batch(part.space, part.rows(index), start + index)
