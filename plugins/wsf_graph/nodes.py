"""What nodes, and edges without weights, are at the beginning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import torch
from einops import rearrange
from torch import Tensor, nn

from wsf_graph.grid import Grid
from wsframework.errors import SpaceError, nearest


class NodeEmbedding(nn.Module):
    """A node begins as its features, added to the mean of what is known of the parameters that it is an end of.

    What is known is a vector of the role and the end, and ``MLP(depth)``.

    Arguments:
        grid: names the roles.
        width: channels of nodes.
        edge_width: channels of features and of edges.
    """

    def __init__(self, grid: Grid, width: int, edge_width: int) -> None:
        super().__init__()
        self.slots = _numbered(name for _, name, _ in grid.slots)
        self.table = nn.Embedding(max(1, len(self.slots)), width)
        self.depth = nn.Sequential(nn.Linear(1, width), nn.SiLU(), nn.Linear(width, width))
        self.features = nn.Linear(edge_width, width, bias=False) if grid.features else None
        self.within = _numbered(table.name for table in grid.edges if not table.weights)
        self.links = nn.Embedding(len(self.within), edge_width) if self.within else None
        self._known: dict[tuple[Grid, torch.device], tuple[Tensor, Tensor, Tensor]] = {}

    def forward(self, features: Sequence[Tensor], batch: int, grid: Grid) -> Tensor:
        """Channels of features, a table each (nodes labels, batch, edge_width), to (nodes, batch, width).

        Raises:
            SpaceError: where a parameter has other ends than those of its role had.
        """
        numbers, depth, share = self._places(grid, self.table.weight.device)
        known = self.table(numbers) + self.depth(rearrange(depth, "slots -> slots 1").to(self.table.weight))
        kinds = (share.to(known) @ known).unbind(0)
        h = [kind.expand(nodes, batch, -1) for kind, nodes in zip(kinds, grid.nodes, strict=True)]
        for table, channels in zip(grid.features, features, strict=True):
            if self.features is not None:  # else there are no tables
                h[table.kind] = h[table.kind] + self.features(
                    channels.view(-1, table.labels, *channels.shape[1:]).sum(1)
                )
        return torch.cat(h) if h else known.new_zeros(0, batch, self.table.embedding_dim)

    def edges(self, batch: int, grid: Grid) -> list[Tensor]:
        """The edges without weights, a table each: (edges, batch, edge_width).

        Raises:
            SpaceError: where nodes are made of more others than any was.
        """
        tables = [table for table in grid.edges if not table.weights]
        numbers = [_number(table.name, self.within) for table in tables]
        return [
            self.links.weight[number].expand(table.entries, batch, -1).contiguous()
            for number, table in zip(numbers, tables, strict=True)
            if self.links is not None  # else a number was refused, or there are no tables
        ]

    def _places(self, grid: Grid, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
        """Number and depth of each slot, and its share in each kind of nodes, (kinds, slots)."""
        if (grid, device) not in self._known:
            numbers = torch.tensor([_number(name, self.slots) for _, name, _ in grid.slots], dtype=torch.long)
            share = torch.zeros(len(grid.kinds), len(grid.slots))
            for place, (kind, _, _) in enumerate(grid.slots):
                share[kind, place] = 1
            depth = torch.tensor([depth for _, _, depth in grid.slots])
            found = numbers, depth, share / share.sum(1, keepdim=True)
            self._known[grid, device] = tuple(value.to(device) for value in found)  # type: ignore[assignment]
        return self._known[grid, device]


def _numbered(names: Iterable[str]) -> dict[str, int]:
    return {name: number for number, name in enumerate(dict.fromkeys(names))}


def _number(name: str, known: Mapping[str, int]) -> int:
    if name not in known:
        raise SpaceError(f"graph: no embedding for the end of edges {name!r}{nearest(name, known)}")
    return known[name]
