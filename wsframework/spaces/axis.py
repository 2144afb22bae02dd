"""An axis of a parameter: sums and products of dims, nested as deeply as need be.

``(heads (key + value))`` has, for each head, first its keys and then its values. Multiplied out it is two products,
``heads key`` and ``heads value``, each of them spread over the axis at strides of its own: a `Part`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Occurrence:
    """A dim in an axis, with the exponent that its gauge acts with there."""

    dim: str
    exponent: int = 0

    def __str__(self) -> str:
        return self.dim + (f"^{self.exponent:+d}" if self.exponent else "")


Product = tuple["Occurrence | Axis", ...]


@dataclass(frozen=True)
class Axis:
    """A concatenation of ``terms``, each a product (row major) of dims and of further sums."""

    terms: tuple[Product, ...]

    def __str__(self) -> str:
        return f"({' + '.join(' '.join(map(str, term)) for term in self.terms)})"

    @property
    def notation(self) -> str:
        """The axis as the notation has it: a single dim needs no parentheses."""
        single = len(self.terms) == 1 and len(self.terms[0]) == 1 and isinstance(self.terms[0][0], Occurrence)
        return str(self.terms[0][0]) if single else str(self)

    @property
    def occurrences(self) -> tuple[Occurrence, ...]:
        """Every occurrence of a dim, from left to right."""
        factors = [factor for term in self.terms for factor in term]
        return tuple(o for f in factors for o in ((f,) if isinstance(f, Occurrence) else f.occurrences))

    @property
    def complete(self) -> bool:
        """Whether every sum has terms, and every term factors."""
        return bool(self.terms) and all(
            term and all(isinstance(f, Occurrence) or f.complete for f in term) for term in self.terms
        )


@dataclass(frozen=True)
class Part:
    """What of an axis is one product of dims, once sums are multiplied out.

    Attributes:
        occurrences: its factors.
        start: where on the axis its first entry is.
        strides: for each factor, how far apart on the axis its elements are.
    """

    occurrences: tuple[Occurrence, ...] = ()
    start: int = 0
    strides: tuple[int, ...] = ()


Sizes = Callable[[str], int]
"""The size of a dim, by name."""


def parts(axis: Axis, size: Sizes) -> tuple[list[Part], int]:
    """The parts of ``axis`` in the order in which it names them, and its length."""
    found: list[Part] = []
    length = 0
    for term in axis.terms:
        products, count = _multiplied(term, size)
        found += [replace(part, start=length + part.start) for part in products]
        length += count
    return found, length


def _multiplied(term: Product, size: Sizes) -> tuple[list[Part], int]:
    """The parts of a product, and its length: from the innermost factor outwards."""
    found, length = [Part()], 1
    for factor in reversed(term):
        if isinstance(factor, Occurrence):
            choices, count = [Part((factor,), 0, (1,))], size(factor.dim)
        else:
            choices, count = parts(factor, size)
        found = [_times(outer, inner, length) for outer in choices for inner in found]
        length *= count
    return found, length


def _times(outer: Part, inner: Part, length: int) -> Part:
    """The product of two parts, where that of the inner factor is ``length`` long."""
    return Part(
        outer.occurrences + inner.occurrences,
        outer.start * length + inner.start,
        tuple(stride * length for stride in outer.strides) + inner.strides,
    )
