"""The coordinates of a block as a neural graph has them: between which nodes each is, and at which place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from wsframework.spaces.nodes import NodeKind, ends, kind_of_places, links
from wsframework.spaces.space import Block, WeightSpace

WITHIN = "#within"
"""How the kind of an edge without a weight begins. No role can: it would be a comment."""


@dataclass(frozen=True, eq=False)
class Entries:
    """Coordinates of one kind: an edge each, a feature of a node each, or one feature of the graph.

    Attributes:
        name: the role of their parameter, and the summand of each axis where one is not the first.
        parameter: its number; -1 for edges without a weight.
        coordinate: of each entry, integers of shape (entries,); -1 without a weight.
        ends: kinds of nodes: of target and source, of the one node, or none.
        nodes: at each end, the number of the node among its kind, (entries,).
        place: what of the fixed dims tells apart entries between the same nodes, (entries, labels).
        extent: how many elements those dims have.
    """

    name: str
    parameter: int
    coordinate: Tensor
    ends: tuple[NodeKind, ...]
    nodes: tuple[Tensor, ...]
    place: Tensor
    extent: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.coordinate)

    def at(self, starts: Mapping[NodeKind, int]) -> tuple[Tensor, ...]:
        """The node at each end in the graph, where the nodes of each kind begin at ``starts``."""
        return tuple(node + starts[kind] for kind, node in zip(self.ends, self.nodes, strict=True))

    def number_of_place(self) -> Tensor:
        """The place of each entry as one number, row major, (entries,)."""
        number = self.same(0)
        for extent, place in zip(self.extent, self.place.unbind(1), strict=True):
            number = number * extent + place
        return number

    def same(self, number: int) -> Tensor:
        """``number`` for each entry, (entries,)."""
        return torch.full_like(self.coordinate, number)


def entries_of(space: WeightSpace, block: Block) -> Entries:
    """The entries of ``block``, in the order of their coordinates."""
    found = ends(space, block)
    sizes = [space.dim(o.dim).size for o in block.occurrences]
    grids = torch.meshgrid(*(torch.arange(n) for n in sizes), indexing="ij") if sizes else ()
    place = [grids[p].flatten() for p in found.labels]
    kinds = tuple(kind_of_places(space, block, places) for places in found.nodes)
    nodes = [kind.number(grids[p] for p in places) for kind, places in zip(kinds, found.nodes, strict=True)]
    coordinate = space.block_index(block).flatten()
    number = next(n for n, p in enumerate(space.parameters) if p.name == block.parameter)
    return Entries(
        name=space.parameters[number].role + ("@" + "+".join(map(str, block.terms)) if any(block.terms) else ""),
        parameter=number,
        coordinate=coordinate,
        ends=kinds,
        nodes=tuple(node.flatten() for node in nodes),
        place=torch.stack(place, dim=1) if place else coordinate.new_empty(len(coordinate), 0),
        extent=tuple(sizes[p] for p in found.labels),
    )


def links_of(space: WeightSpace, kind: NodeKind) -> Iterator[Entries]:
    """Edges without a weight to each node of ``kind``, from the nodes that it is made of."""
    elements = kind.places()
    missing = torch.full((kind.nodes,), -1)
    for slot, (whole, places) in enumerate(links(space, kind)):
        source = whole.number(elements[:, place] for place in places)
        nodes = (torch.arange(kind.nodes), source)
        yield Entries(f"{WITHIN} {slot}", -1, missing, (kind, whole), nodes, missing.new_empty(kind.nodes, 0), ())
