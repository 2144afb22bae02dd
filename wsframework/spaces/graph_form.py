"""`NeuralGraph`: the nodes and edges that the coordinates of a weight space are on."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from itertools import accumulate
from typing import Any, TypeVar

import torch
from torch import Tensor

from wsframework.errors import SpaceError
from wsframework.spaces.nodes import NodeKind
from wsframework.spaces.space import WeightSpace
from wsframework.spaces.symmetry import Symmetry


@dataclass(frozen=True, eq=False)
class EdgeSet:
    """The edges of a neural graph. Those that have a weight come first.

    Attributes:
        names: of their kinds: the role of a parameter, ``@`` and the summand of each axis where one is not
            the first; ``#within`` and a number for edges without a weight.
        target, source: nodes, integers of shape (edges,).
        kind: the position of each edge's kind in ``names``, (edges,).
        coordinate, parameter: where its weight is in the flat vector, and the number of the parameter that
            it is of; both -1 without a weight. (edges,)
        place: which tap of a kernel it is, or another position on fixed dims: (edges, places), -1 where it
            has fewer.
        extent: how many positions there are, so that kernels of every size have the place
            ``(2 place + 1) / extent - 1``: (edges, places), 0 where it has fewer.
    """

    names: tuple[str, ...]
    target: Tensor
    source: Tensor
    kind: Tensor
    coordinate: Tensor
    parameter: Tensor
    place: Tensor
    extent: Tensor

    def __len__(self) -> int:
        return len(self.target)

    @cached_property
    def weights(self) -> int:
        """The number of edges that have a weight."""
        return int((self.coordinate >= 0).sum())

    @property
    def index(self) -> Tensor:
        """Sources and targets, (2, edges), as torch_geometric has them."""
        return torch.stack([self.source, self.target])


@dataclass(frozen=True, eq=False)
class FeatureSet:
    """The features of the nodes of a neural graph: the parameters with one axis.

    Attributes:
        columns: names: role and summand as of edges, ``#`` and a number where several parameters of one role
            are at the same nodes, and the place on fixed dims in brackets. The same at every width and depth.
        node, column: where each feature is, integers of shape (features,).
        coordinate, parameter: as of edges, (features,).
    """

    columns: tuple[str, ...]
    node: Tensor
    column: Tensor
    coordinate: Tensor
    parameter: Tensor


@dataclass(frozen=True, eq=False)
class NeuralGraph:
    """Nodes and edges of a space. Every coordinate is on one edge, at one node, or of the whole graph.

    An entry of a parameter with two axes or more is an edge, from the node on its second axis to the node on
    its first, as weights are written ``output input``; with more axes, the first two that have free dims
    count. An entry of a parameter with one axis is a feature of a node, a scalar one of the graph. The node
    on an axis is the element of its free dim, or of its first dim where none is free. What other fixed dims
    say, such as the tap of a kernel, is the edge's *place*: as many parallel edges as taps.

    Nodes that are made of others (a value of a head, of that head) have edges from those without a weight.
    So two points have isomorphic graphs only if a permutation of neurons takes one to the other.

    References: Kofinas et al. 2024, arXiv:2403.12143; Lim et al. 2023, arXiv:2312.04501.

    Attributes:
        space: the weight space.
        kinds: of nodes; those of one kind follow one another.
        node_kind: the position of each node's kind in ``kinds``, integers of shape (nodes,).
        node_place: its elements of fixed dims, -1 for a free dim and where it has fewer, (nodes, dims).
        edges: between nodes.
        features: of nodes.
        scalars: the coordinates that are features of the whole graph, (scalars,).
    """

    space: WeightSpace
    kinds: tuple[NodeKind, ...]
    node_kind: Tensor
    node_place: Tensor
    edges: EdgeSet
    features: FeatureSet
    scalars: Tensor

    @property
    def nodes(self) -> int:
        """The number of nodes."""
        return len(self.node_kind)

    def to(self, device: torch.device) -> NeuralGraph:
        """The same graph with its tensors on ``device``."""
        whole = _placed(self, device)
        return replace(whole, edges=_placed(self.edges, device), features=_placed(self.features, device))

    def split(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Coordinates (..., size) to features of nodes, of edges and of the graph; 0 where there is no weight.

        Returns:
            Shapes (..., nodes, columns), (..., edges) and (..., scalars).

        Raises:
            SpaceError: if x has another number of coordinates.
        """
        if x.shape[-1] != self.space.size:
            raise SpaceError(f"x has {x.shape[-1]} coordinates; the space of this graph has {self.space.size}")
        nodes = x.new_zeros(*x.shape[:-1], self.nodes, len(self.features.columns))
        nodes[..., self.features.node, self.features.column] = x[..., self.features.coordinate]
        weights = x[..., self.edges.coordinate[: self.edges.weights]]
        without = x.new_zeros(*x.shape[:-1], len(self.edges) - self.edges.weights)
        return nodes, torch.cat([weights, without], dim=-1), x[..., self.scalars]

    def join(self, nodes: Tensor, edges: Tensor, scalars: Tensor) -> Tensor:
        """The inverse of `split`: (..., nodes, columns), (..., edges) and (..., scalars) to (..., size).

        Raises:
            SpaceError: if the graph has other numbers of nodes, columns, edges or scalars.
        """
        shapes = (*nodes.shape[-2:], edges.shape[-1], scalars.shape[-1])
        wanted = (self.nodes, len(self.features.columns), len(self.edges), len(self.scalars))
        if shapes != wanted:
            raise SpaceError(
                "this graph has {} nodes with {} features, {} edges and {} scalars".format(*wanted)
                + "; given were {} nodes with {} features, {} edges and {} scalars".format(*shapes)
            )
        x = edges.new_empty(*edges.shape[:-1], self.space.size)
        x[..., self.features.coordinate] = nodes[..., self.features.node, self.features.column]
        x[..., self.edges.coordinate[: self.edges.weights]] = edges[..., : self.edges.weights]
        x[..., self.scalars] = scalars
        return x

    def relabelling(self, g: Symmetry) -> Tensor:
        """What g does to nodes, integers (nodes,): the k-th node of ``g x`` is the ``relabelling[k]``-th of x.

        For a g that only permutes, the graph of ``g x`` is that of x with its nodes renamed so.
        """
        starts = accumulate((kind.nodes for kind in self.kinds), initial=0)
        moved = [kind.moved(g) + start for kind, start in zip(self.kinds, starts, strict=False)]
        return torch.cat([torch.empty(0, dtype=torch.long), *moved]).to(self.node_kind.device)


_Set = TypeVar("_Set", EdgeSet, FeatureSet, NeuralGraph)


def _placed(found: _Set, device: torch.device) -> _Set:
    moved: dict[str, Any] = {
        f.name: v.to(device) for f in fields(found) if isinstance(v := getattr(found, f.name), Tensor)
    }
    return replace(found, **moved)
