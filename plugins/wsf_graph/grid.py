"""The neural graph as grids: all edges of one block are an entry each of a table, whose axes say between what they are.

So messages are sums over axes, and what a node says to its edges broadcasts; no edge has to look up its nodes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import prod

import torch
from torch import Tensor

from wsframework import spaces
from wsframework.spaces import Block, NodeKind, WeightSpace
from wsframework.spaces.entries import WITHIN
from wsframework.spaces.nodes import ends, kind_of_places, links

Places = tuple[int, ...]


@dataclass(frozen=True)
class End:
    """The nodes at one end of the edges of a table.

    Attributes:
        kind: the number of their kind.
        shape: the sizes of its dims.
        turn: its dims, those that the other end has too first.
        shared: how many of them those are.
    """

    kind: int
    shape: tuple[int, ...]
    turn: tuple[int, ...]
    shared: int

    @property
    def sizes(self) -> tuple[int, int]:
        """How many elements the shared dims have together, and the others."""
        turned = [self.shape[axis] for axis in self.turn]
        return prod(turned[: self.shared]), prod(turned[self.shared :])

    def spread(self, nodes: Tensor) -> Tensor:
        """Of the nodes of its kind (nodes, batch, channels) to (shared, others, batch, channels)."""
        rest = nodes.shape[1:]
        return nodes.view(*self.shape, *rest).permute(*self.turn, -2, -1).reshape(*self.sizes, *rest)

    def collect(self, table: Tensor) -> Tensor:
        """The inverse of `spread`."""
        rest, back = table.shape[2:], sorted(range(len(self.turn)), key=lambda place: self.turn[place])
        turned = table.view(*(self.shape[axis] for axis in self.turn), *rest)
        return turned.permute(*back, -2, -1).reshape(-1, *rest)


@dataclass(frozen=True)
class EdgeTable:
    """The edges of one block, or those that join nodes to what they are made of, which have no weight.

    Attributes:
        name: the role of the parameter, and the summand of each axis where one is not the first.
        depth: of the parameter among all, in [0, 1]; 0 without a weight.
        target, source: its ends.
        labels: parallel edges: positions on fixed dims at neither end.
        weights: whether its edges have any.
    """

    name: str
    depth: float
    target: End
    source: End
    labels: int
    weights: bool

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Elements of dims that both ends have, of others of targets, of others of sources; labels."""
        shared, targets = self.target.sizes
        return shared, targets, self.source.sizes[1], self.labels

    @property
    def entries(self) -> int:
        """How many edges there are."""
        return prod(self.shape)


@dataclass(frozen=True)
class FeatureTable:
    """The features that one block is of the nodes of a kind, so many labels each; name and depth as of edges."""

    name: str
    depth: float
    kind: int
    labels: int


@dataclass(frozen=True, eq=False)
class Grid:
    """The neural graph of a space.

    Attributes:
        kinds: of nodes.
        edges: with weights, then without.
        features: of nodes.
        scalars: how many coordinates are features of the whole.
        order: the flat coordinate at each place, of edges, of features and of scalars, integers (size,).
    """

    kinds: tuple[NodeKind, ...]
    edges: tuple[EdgeTable, ...]
    features: tuple[FeatureTable, ...]
    scalars: int
    order: Tensor

    @cached_property
    def nodes(self) -> list[int]:
        """How many nodes are of each kind."""
        return [kind.nodes for kind in self.kinds]

    @cached_property
    def sizes(self) -> list[int]:
        """How many places each table of weights and of features has, and the scalars."""
        tables = [table.entries for table in self.edges if table.weights]
        return [*tables, *(self.nodes[table.kind] * table.labels for table in self.features), self.scalars]

    @cached_property
    def degrees(self) -> list[tuple[int, int]]:
        """How many edges end and begin at each node of each kind; 1 where there are none."""
        found = [[0, 0] for _ in self.kinds]
        for table in self.edges:
            _, targets, sources, labels = table.shape
            found[table.target.kind][0] += sources * labels
            found[table.source.kind][1] += targets * labels
        return [(max(into, 1), max(out, 1)) for into, out in found]

    @cached_property
    def slots(self) -> list[tuple[int, str, float]]:
        """What nodes of each kind are: its number, at which end of what they are, and the depth of that."""
        found = [(end.kind, f"{t.name}:{e}", t.depth) for t in self.edges for e, end in enumerate((t.target, t.source))]
        return found + [(table.kind, f"{table.name}:", table.depth) for table in self.features]


@lru_cache(maxsize=64)
def grid(space: WeightSpace) -> Grid:
    """The grid of ``space``, with the kinds of nodes that `wsframework.spaces.neural_graph` has."""
    kinds = spaces.neural_graph(space).kinds
    edges: list[EdgeTable] = []
    features: list[FeatureTable] = []
    orders: tuple[list[Tensor], ...] = ([], [], [])
    for block in space.blocks():
        found, index = ends(space, block), space.block_index(block)
        name, depth = _named(space, block)
        at = [kinds.index(kind_of_places(space, block, places)) for places in found.nodes]
        turn = (*found.nodes[0], *found.labels) if len(at) == 1 else found.labels
        labels = prod(index.shape[place] for place in found.labels)
        if len(at) == 2:
            turn, (target, source) = _joined(kinds, at, found.nodes)
            edges.append(EdgeTable(name, depth, target, source, labels, True))
            turn += found.labels
        elif at:
            features.append(FeatureTable(name, depth, at[0], labels))
        orders[2 - len(at)].append(index.permute(turn).flatten())
    edges += _links(space, kinds)
    scalars = sum(len(order) for order in orders[2])
    order = torch.cat([torch.empty(0, dtype=torch.long), *orders[0], *orders[1], *orders[2]])
    return Grid(kinds, tuple(edges), tuple(features), scalars, order)


def _named(space: WeightSpace, block: Block) -> tuple[str, float]:
    number = next(n for n, p in enumerate(space.parameters) if p.name == block.parameter)
    summands = "@" + "+".join(map(str, block.terms)) if any(block.terms) else ""
    return space.parameters[number].role + summands, number / max(len(space.parameters) - 1, 1)


def _joined(kinds: Sequence[NodeKind], at: Sequence[int], places: Sequence[Places]) -> tuple[Places, list[End]]:
    """The places of two ends in the order of a table's axes, and these ends."""
    shared = tuple(place for place in places[0] if place in places[1])
    own = [tuple(place for place in end if place not in shared) for end in places]
    turns = [tuple(end.index(place) for place in (*shared, *mine)) for end, mine in zip(places, own, strict=True)]
    found = [End(kind, kinds[kind].shape, turn, len(shared)) for kind, turn in zip(at, turns, strict=True)]
    return (*shared, *own[0], *own[1]), found


def _links(space: WeightSpace, kinds: Sequence[NodeKind]) -> Iterator[EdgeTable]:
    """Edges without a weight to the nodes of each kind, from the nodes that they are made of."""
    for number, kind in enumerate(kinds):
        for slot, (whole, places) in enumerate(links(space, kind)):
            at, every = (number, kinds.index(whole)), tuple(range(len(kind.dims)))
            _, (target, source) = _joined(kinds, at, (every, places))
            yield EdgeTable(f"{WITHIN} {slot}", 0.0, target, source, 1, False)
