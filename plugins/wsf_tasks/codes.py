"""Tasks over the ten digits: which of them are positive? A code of ten bits says so; complements share a split."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from wsframework.errors import RequestError
from wsframework.tasks import OBJECTIVES, Data, Task, TaskShape, TaskSplits

DIGITS = 10
PAIRS = 2 ** (DIGITS - 1) - 1  # {code, complement}; the empty code and its complement are no task
CODES = 2 * PAIRS


def bits(codes: Tensor) -> Tensor:
    """Codes (n,) as ten bits each, digit 0 first: (n, 10), integers 0 and 1."""
    return codes[:, None] >> torch.arange(DIGITS) & 1


def separation(codes: Tensor, others: Tensor) -> Tensor:
    """Hamming distance of each code (n,) to the nearest of ``others`` (m,) and of their complements: (n,).

    A complement is the same function with its outputs swapped, so that the largest separation is 5.
    """
    differing = (bits(codes)[:, None] != bits(others)[None]).sum(-1)
    nearest = torch.minimum(differing, DIGITS - differing)
    return torch.cat([nearest, torch.full((len(codes), 1), DIGITS // 2)], dim=1).amin(1)


def both(pairs: Tensor) -> Tensor:
    """Each code (n,) followed by its complement: (2 n,)."""
    return torch.stack([pairs, 2**DIGITS - 1 - pairs], dim=1).flatten()


@dataclass(frozen=True, eq=False)
class Codes:
    """The codes of each split, (n,) each.

    Attributes:
        family: the name of the family that draws them.
        distance: of the seen codes from the others, at least.
        left: how many codes there are at this distance.
    """

    family: str
    seen: Tensor
    validation: Tensor
    held_out: Tensor
    distance: int
    left: int

    @classmethod
    def draw(
        cls, family: str, seen: int, validation: int, held_out: int, distance: int, generator: torch.Generator
    ) -> Codes:
        """Validation and held-out codes as pairs with their complements, the seen ones from what these leave.

        Raises:
            RequestError: where fewer codes remain than asked for, with their number.
        """
        order = torch.randperm(CODES, generator=generator) + 1
        pairs = torch.randperm(PAIRS, generator=generator) + 1
        first, second = _pairs(family, validation, held_out, pairs)
        left = order[separation(order, torch.cat([first, second])) >= distance]
        if seen > len(left):
            raise RequestError(
                f"{seen} seen tasks of {family!r} were asked for; with {validation} validation and {held_out} held-out "
                f"tasks at distance {distance} there are {len(left)}"
            )
        return cls(family, left[:seen], both(second)[:validation], both(first)[:held_out], distance, len(left))

    def tasks(self, support: Data, query: Data, examples: str) -> TaskSplits:
        """A task for each code; all share the tensors of ``support`` and ``query``, labelled with their digits.

        Arguments:
            support: what the tasks train on, ``y`` (points,) of digits.
            query: what they are judged on.
            examples: what an example is called, in the plural.
        """
        return TaskSplits(
            seen=self._tasks(self.seen, support, query),
            validation=self._tasks(self.validation, support, query),
            held_out=self._tasks(self.held_out, support, query),
            drawn=f"Digit codes and their complements share a split; the {len(self.seen)} seen codes were drawn from "
            f"{self.left} at Hamming distance {self.distance} or more from the {len(self.validation)} validation and "
            f"{len(self.held_out)} held-out codes and their complements; all tasks share {len(support)} support and "
            f"{len(query)} query {examples}, stratified by digit.",
        )

    def _tasks(self, codes: Tensor, support: Data, query: Data) -> list[Task]:
        rows = zip(codes, bits(codes), strict=True)
        return [_task(self.family, int(code), positive, support, query) for code, positive in rows]


def _pairs(family: str, validation: int, held_out: int, pairs: Tensor) -> tuple[Tensor, Tensor]:
    """The first of ``pairs`` (n,): as many as hold the held-out tasks, then those of the validation tasks."""
    first, second = (held_out + 1) // 2, (validation + 1) // 2
    if first + second > len(pairs):
        raise RequestError(
            f"{validation} validation and {held_out} held-out tasks of {family!r} were asked for; they are drawn as "
            f"pairs of a code and its complement, of which there are {len(pairs)}, and these take {first + second}"
        )
    return pairs[:first], pairs[first : first + second]


def _task(family: str, code: int, positive: Tensor, support: Data, query: Data) -> Task:
    """The task of a code whose bits are ``positive`` (10,)."""
    digits = [str(digit) for digit in range(DIGITS) if positive[digit]]
    return Task(
        name=f"{family}-{''.join(digits)}",
        shape=TaskShape(tuple(support.x.shape[1:]), (2,), DIGITS),
        support=Data(support.x, positive[support.y]),
        query=Data(query.x, positive[query.y]),
        objective=OBJECTIVES["classification"],
        code=2 * positive.float() - 1,
        text=f"digits {', '.join(digits)} against the rest",
        facts={"pair": float(min(code, 2**DIGITS - 1 - code))},
    )
