"""Linear forms: exponents of the gauge, before they are known.

A gauge multiplies the entry of a tensor that belongs to neuron i by ``s_i ** e``. The exponents ``e`` at the
parameters are unknowns; those of every other tensor are linear forms in them. Operators demand equations between
forms, whose solutions are the gauges of the network: over the rational numbers for a scale, modulo 2 for a sign.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

import torch
from torch import Tensor

Unknown = Hashable
Form = Mapping[Unknown, Fraction]


@dataclass(eq=False)
class Forms:
    """Forms by number (0 is the zero form), and the equations demanded of them.

    Attributes:
        gauge: which gauge is sought; None where none is, and all forms are zero.
        equations: forms that must vanish.
    """

    gauge: Literal["sign", "scale"] | None = None
    table: list[dict[Unknown, Fraction]] = field(default_factory=lambda: [{}])
    equations: set[int] = field(default_factory=set)
    _numbers: dict[frozenset[tuple[Unknown, Fraction]], int] = field(default_factory=lambda: {frozenset(): 0})

    def number(self, form: Form) -> int:
        """The number of a form; new where it was not met before."""
        kept = {unknown: value for unknown, value in form.items() if value}
        if self.gauge == "sign":
            kept = {unknown: Fraction(1) for unknown, value in kept.items() if value % 2 == 1}
        key = frozenset(kept.items())
        if key not in self._numbers:
            self._numbers[key] = len(self.table)
            self.table.append(kept)
        return self._numbers[key]

    def combine(self, first: Tensor | None, second: Tensor | None, factor: Fraction | int = 1) -> Tensor | None:
        """``first + factor * second``, entry by entry of two arrays of numbers that broadcast."""
        if second is None or factor == 0:
            return first
        left = torch.zeros_like(second) if first is None else first
        left, right = left + torch.zeros_like(second), second + torch.zeros_like(left)  # of one shape
        pairs, back = torch.unique(torch.stack([left.flatten(), right.flatten()]), dim=1, return_inverse=True)
        sums = torch.tensor([self._sum(a, b, Fraction(factor)) for a, b in pairs.T.tolist()])
        return sums[back].reshape(left.shape)

    def _sum(self, first: int, second: int, factor: Fraction) -> int:
        form = dict(self.table[first])
        for unknown, value in self.table[second].items():
            form[unknown] = form.get(unknown, Fraction(0)) + factor * value
        return self.number(form)

    def vanish(self, forms: Tensor | None) -> None:
        """All of these must be zero."""
        if forms is not None:
            self.equations.update(n for n in torch.unique(forms).tolist() if n)

    def agree(self, first: Tensor | None, second: Tensor | None) -> None:
        """These two must be equal, entry by entry."""
        self.vanish(self.combine(first, second, -1))
