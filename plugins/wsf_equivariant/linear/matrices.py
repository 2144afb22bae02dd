"""The matrices of an equivariant linear map: what their rows and columns are called, and where they are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from wsf_equivariant.linear.domains import Domain


@dataclass(frozen=True)
class Matrix:
    """One matrix: a block of channels for each pair of what is read and what is written.

    Attributes:
        reads, writes: names, of blocks of rows and of columns.
        everything: whether it mixes what is pooled over everything; then the context's rows are its last.
        own: whether it maps each quotient of a name to itself, where several share the name.
    """

    reads: tuple[str, ...]
    writes: tuple[str, ...]
    everything: bool = False
    own: bool = False


@dataclass(frozen=True)
class Matrices:
    """All of them, one after another in one flat tensor.

    Attributes:
        found: the matrices.
        channels_in, channels_out: rows and columns of a block.
        context: rows that the context has.
    """

    found: tuple[Matrix, ...]
    channels_in: int
    channels_out: int
    context: int

    def height(self, matrix: Matrix) -> int:
        """How many rows a matrix has."""
        return len(matrix.reads) * self.channels_in + self.context * matrix.everything

    def width(self, matrix: Matrix) -> int:
        """How many columns a matrix has."""
        return len(matrix.writes) * self.channels_out

    @cached_property
    def place(self) -> Mapping[str, Matrix]:
        """Which matrix a name that is read is in."""
        return {name: matrix for matrix in self.found if not matrix.own for name in matrix.reads}

    @cached_property
    def own(self) -> Mapping[str, Matrix]:
        """The matrices of names that several quotients share."""
        return {matrix.reads[0]: matrix for matrix in self.found if matrix.own}

    @cached_property
    def starts(self) -> Mapping[Matrix, int]:
        """Where each matrix begins."""
        sizes = [self.height(m) * self.width(m) for m in self.found]
        return {matrix: sum(sizes[:number]) for number, matrix in enumerate(self.found)}

    @property
    def size(self) -> int:
        """How many entries all of them have."""
        return sum(self.height(m) * self.width(m) for m in self.found)

    def drawn(self) -> Tensor:
        """Matrices that keep the size of what they mix: every entry ~ N(0, 1 / rows). All in one flat tensor."""
        sizes = [(self.height(m), self.width(m)) for m in self.found]
        return torch.cat([torch.randn(rows * columns) * rows**-0.5 for rows, columns in sizes])

    def select(self, matrix: Matrix, reads: Sequence[str], writes: Sequence[str]) -> Tensor:
        """Where the entries for some rows and columns of a matrix are in the flat tensor: (rows, columns)."""
        rows = _channels([matrix.reads.index(name) for name in reads], self.channels_in)
        if matrix.everything:
            rows = torch.cat([rows, len(matrix.reads) * self.channels_in + torch.arange(self.context)])
        columns = _channels([matrix.writes.index(name) for name in writes], self.channels_out)
        return self.starts[matrix] + rows.unsqueeze(-1) * self.width(matrix) + columns


def _channels(places: Sequence[int], channels: int) -> Tensor:
    return (torch.tensor(places).unsqueeze(-1) * channels + torch.arange(channels)).flatten()


def matrices(domains: Sequence[Domain], channels_in: int, channels_out: int, context: int) -> Matrices:
    """The matrices for some domains: names that meet on one, directly or through others, are in one matrix.

    Quotients that share a name count together, so that each of them has a further map, from itself to itself.
    """
    group: dict[str, list[str]] = {}
    for domain in domains:
        met = list(dict.fromkeys(other for name in domain.reads for other in group.get(name, [name])))
        group |= dict.fromkeys(met, met)
    written = {name for domain in domains for name in domain.writes}
    whole = {name for domain in domains if not domain.shape for name in domain.reads}
    groups = {names[0]: names for names in group.values()}.values()
    found = [Matrix(tuple(ns), tuple(n for n in ns if n in written), ns[0] in whole) for ns in groups]
    shared = dict.fromkeys(name for domain in domains for name in domain.shared)
    own = [Matrix((name,), (name,), own=True) for name in shared]
    return Matrices((*found, *own), channels_in, channels_out, context)
