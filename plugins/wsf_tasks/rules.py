"""`Rule`: an algorithm that reads a sequence of tokens and answers with a token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Literal, get_args

import torch
from torch import Tensor
from torch.nn.functional import one_hot

Kind = Literal["sum", "majority", "copy", "first", "last"]
KINDS: tuple[Kind, ...] = get_args(Kind)
READ = 5
"""How many positions ``sum`` and ``majority`` read."""


@dataclass(frozen=True)
class Rule:
    """One algorithm.

    Attributes:
        kind: ``sum`` of some positions, modulo the vocabulary (parity, of two tokens); ``majority`` of some positions,
            the smaller token of two equally frequent; ``copy`` of one position; the token some places after the
            ``first`` or the ``last`` occurrence of a token, around the end, and 0 where it does not occur.
        places: the positions that it reads; of ``first`` and ``last``, how many places after.
        token: what ``first`` and ``last`` look for.
    """

    kind: Kind
    places: tuple[int, ...]
    token: int = 0

    def answers(self, x: Tensor, vocabulary: int) -> Tensor:
        """Sequences x (points, length) of whole numbers to tokens (points,)."""
        if self.kind in ("first", "last"):
            return self._after(x)
        read = x[:, list(self.places)]
        if self.kind == "majority":
            count = one_hot(read, vocabulary).sum(1)
            return (count * vocabulary - torch.arange(vocabulary)).argmax(1)
        return read.sum(1) % vocabulary

    def _after(self, x: Tensor) -> Tensor:
        there, length = (x == self.token).int(), x.shape[1]
        place = there.argmax(1) if self.kind == "first" else length - 1 - there.flip(1).argmax(1)
        answer = x.gather(1, ((place + self.places[0]) % length).unsqueeze(1)).squeeze(1)
        return torch.where(there.any(1), answer, 0)

    def code(self, length: int, vocabulary: int) -> Tensor:
        """Which kind, which places, which token, as zeros and ones: (kinds + length + vocabulary,)."""
        kind, places, token = torch.zeros(len(KINDS)), torch.zeros(length), torch.zeros(vocabulary)
        kind[KINDS.index(self.kind)] = 1.0
        places[list(self.places)] = 1.0
        token[self.token] = float(self.kind in ("first", "last"))
        return torch.cat([kind, places, token])

    def __str__(self) -> str:
        places = ", ".join(map(str, self.places))
        if self.kind in ("first", "last"):
            return f"the token {places} places after the {self.kind} {self.token}"
        return f"{self.kind} of {'position' if len(self.places) == 1 else 'positions'} {places}"


def all_rules(kinds: Sequence[Kind], length: int, vocabulary: int) -> list[Rule]:
    """All rules of these kinds, no two of which are one function.

    Of the sets of positions only those count whose sum is a multiple of the length, so that any two differ in two
    positions or more (Graham & Sloane 1980, Lower Bounds for Constant Weight Codes). The place before the first
    occurrence and that after the last are left out: of two tokens, they have one answer.
    """
    masks = [places for places in combinations(range(length), READ) if sum(places) % length == 0]
    after = {"first": range(1, length - 1), "last": range(2, length)}
    found: list[Rule] = []
    for kind in sorted(set(kinds), key=KINDS.index):
        if kind == "copy":
            found += [Rule(kind, (place,)) for place in range(length)]
        elif kind in ("first", "last"):
            found += [Rule(kind, (place,), token) for place, token in product(after[kind], range(vocabulary))]
        else:
            found += [Rule(kind, places) for places in masks]
    return found


def distinct_sequences(count: int, length: int, vocabulary: int, generator: torch.Generator) -> Tensor:
    """``count`` sequences, all different, drawn uniformly: (count, length), whole numbers below ``vocabulary``.

    There must be as many, and twice as many where they are more than 2^20.
    """
    if vocabulary**length <= 2**20:
        number = torch.randperm(vocabulary**length, generator=generator)[:count]
        return number.unsqueeze(1) // vocabulary ** torch.arange(length) % vocabulary
    drawn: Tensor = torch.unique(torch.randint(vocabulary, (2 * count, length), generator=generator), dim=0)
    return drawn[torch.randperm(len(drawn), generator=generator)[:count]]
