"""What the nodes of a neural graph are, and which of them an entry of a parameter joins."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from wsframework.spaces.notation import Dim
from wsframework.spaces.space import Block, WeightSpace
from wsframework.spaces.symmetry import Symmetry, outer_places


@dataclass(frozen=True)
class NodeKind:
    """A node for each combination of elements of ``dims``, row major.

    The kind of a dim that depends on no other has its elements. That of ``value[heads]`` has the dims
    ``heads value``, a node for each value of each head. Where several free dims share an end of an entry,
    its kind has them all.

    Attributes:
        dims: an outer dim before those within it; one that occurs twice is there twice.
        outer: for each of ``dims``, the place among them of the one that it is within; -1 where there is none.
    """

    dims: tuple[Dim, ...]
    outer: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of ``dims``."""
        return tuple(d.size for d in self.dims)

    @property
    def nodes(self) -> int:
        """How many nodes are of this kind."""
        return math.prod(self.shape)

    def __str__(self) -> str:
        return " ".join(d.name for d in self.dims)

    def places(self) -> Tensor:
        """The elements of each node, integers of shape (nodes, dims)."""
        grids = torch.meshgrid(*(torch.arange(n) for n in self.shape), indexing="ij")
        return torch.stack([g.flatten() for g in grids], dim=1)

    def number(self, places: Iterable[Tensor]) -> Tensor:
        """The inverse of `places`: an element of each dim, as tensors that broadcast, to the node."""
        number = torch.zeros((), dtype=torch.long)
        for size, place in zip(self.shape, places, strict=True):
            number = number * size + place
        return number

    def chain(self, place: int) -> tuple[int, ...]:
        """``place``, and before it the places of the dims that the one there is within, outermost first."""
        outer = self.outer[place]
        return (place,) if outer < 0 else (*self.chain(outer), place)

    def moved(self, g: Symmetry) -> Tensor:
        """The relabelling by g, integers (nodes,): its new k-th node of this kind is the old ``moved[k]``-th."""
        new = self.places().unbind(1)
        old = [
            g.permutations[dim.name][tuple(new[p] for p in self.chain(place))] if dim.free else new[place]
            for place, dim in enumerate(self.dims)
        ]
        return self.number(old)


def kind_of_dim(space: WeightSpace, dim: str) -> NodeKind:
    """The nodes that are the elements of ``dim``: one for each element of the dims that it is within, too."""
    chain = [space.dim(dim)]
    while (within := chain[0].within) is not None:
        chain.insert(0, space.dim(within))
    return NodeKind(tuple(chain), tuple(range(-1, len(chain) - 1)))


def kind_of_places(space: WeightSpace, block: Block, places: tuple[int, ...]) -> NodeKind:
    """The nodes at these places among the occurrences of ``block`` (closed under outer dims)."""
    outers = [outer_places(space, block, place)[-1:] for place in places]
    dims = tuple(space.dim(block.occurrences[place].dim) for place in places)
    return NodeKind(dims, tuple(places.index(outer[0]) if outer else -1 for outer in outers))


def links(space: WeightSpace, kind: NodeKind) -> Iterator[tuple[NodeKind, tuple[int, ...]]]:
    """The kinds that a node of ``kind`` is made of, with the places of their elements among its own.

    For each free dim that no other free dim of it is within: that dim's own kind; and where this is
    ``kind`` itself, the kind of the next free dim that it is within.
    """
    for chain in _free_chains(kind):
        whole = kind_of_dim(space, kind.dims[chain[-1]].name)
        if whole == kind:
            chain = _free_end(kind, chain[:-1])
            whole = kind_of_dim(space, kind.dims[chain[-1]].name) if chain else kind
        if chain:
            yield whole, chain


def _free_chains(kind: NodeKind) -> list[tuple[int, ...]]:
    """The chains that end in a free dim which no other free dim is within."""
    ends = dict.fromkeys(_free_end(kind, kind.chain(place)) for place in range(len(kind.dims)))
    inner = {place for chain in ends for place in chain[:-1]}
    return [chain for chain in ends if chain and chain[-1] not in inner]


def _free_end(kind: NodeKind, chain: tuple[int, ...]) -> tuple[int, ...]:
    """The chain without what comes after its last free dim."""
    return tuple(itertools.dropwhile(lambda place: not kind.dims[place].free, reversed(chain)))[::-1]


@dataclass(frozen=True)
class Ends:
    """Places among the occurrences of a block: those of its nodes, none for a scalar, one or two; the others.

    Attributes:
        nodes: target and source, the target alone, or none; each closed under outer dims.
        labels: what is at neither end. All of it is fixed.
    """

    nodes: tuple[tuple[int, ...], ...]
    labels: tuple[int, ...]


def ends(space: WeightSpace, block: Block) -> Ends:
    """What the entries of ``block`` join.

    The ends are its first two axes with free dims, and with too few of those the first of the others.
    Free dims of further axes are joined to the source.
    """
    axes = _places_of_axes(block)
    free = [[p for p in places if space.dim(block.occurrences[p].dim).free] for places in axes]
    chosen = sorted(sorted(range(len(axes)), key=lambda a: not free[a])[:2])
    seeds = [free[axis] or list(axes[axis][:1]) for axis in chosen]
    if seeds:
        seeds[-1] += [p for axis, places in enumerate(free) if axis not in chosen for p in places]
    nodes = tuple(_closed(space, block, seed) for seed in seeds)
    taken = {place for places in nodes for place in places}
    return Ends(nodes, tuple(p for p in range(len(block.occurrences)) if p not in taken))


def _places_of_axes(block: Block) -> list[range]:
    stops = list(itertools.accumulate((len(axis) for axis in block.axes), initial=0))
    return [range(start, stop) for start, stop in itertools.pairwise(stops)]


def _closed(space: WeightSpace, block: Block, seed: list[int]) -> tuple[int, ...]:
    """The places of ``seed`` with those of their outer dims, in the order in which the space declares dims."""
    order = {dim.name: number for number, dim in enumerate(space.dims)}
    places = {p for place in seed for p in (*outer_places(space, block, place), place)}
    return tuple(sorted(places, key=lambda place: (order[block.occurrences[place].dim], place)))
