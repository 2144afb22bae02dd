"""The neural graph of any weight space: neurons are nodes, weights are edges, biases are features of nodes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import accumulate, product

import torch
from torch import Tensor

from wsframework.spaces.entries import Entries, entries_of, links_of
from wsframework.spaces.graph_form import EdgeSet, FeatureSet, NeuralGraph
from wsframework.spaces.nodes import NodeKind
from wsframework.spaces.space import WeightSpace

Starts = Mapping[NodeKind, int]


@lru_cache(maxsize=64)
def neural_graph(space: WeightSpace) -> NeuralGraph:
    """The neural graph of ``space``, built once.

    >>> space = WeightSpace.parse('''
    ...     free c=4
    ...     fixed in=3 kh=2 kw=2
    ...     conv.weight  c in kh kw
    ...     conv.bias    c''')
    >>> graph = neural_graph(space)
    >>> graph.nodes, len(graph.edges), graph.features.columns  # an edge for each tap
    (7, 48, ('conv.bias[]',))
    """
    found = [entries_of(space, block) for block in space.blocks()]
    kinds = _kinds(space, found)
    starts = dict(zip(kinds, accumulate((kind.nodes for kind in kinds), initial=0), strict=False))
    links = [link for kind in kinds for link in links_of(space, kind)]
    scalars = [e for e in found if not e.ends]
    return NeuralGraph(
        space=space,
        kinds=kinds,
        node_kind=_joined(torch.full((kind.nodes,), number) for number, kind in enumerate(kinds)),
        node_place=_stacked([_fixed_places(kind) for kind in kinds], fill=-1),
        edges=_edges([*(e for e in found if len(e.ends) == 2), *links], starts),
        features=_features([e for e in found if len(e.ends) == 1], starts),
        scalars=_joined(e.coordinate for e in scalars),
    )


def _kinds(space: WeightSpace, found: Sequence[Entries]) -> tuple[NodeKind, ...]:
    """The kinds at the ends of entries, in their order, and after them those that they are made of."""
    kinds = dict.fromkeys(kind for entries in found for kind in entries.ends)
    waiting = list(kinds)
    while waiting:
        made_of = [link.ends[1] for kind in waiting for link in links_of(space, kind)]
        waiting = [kind for kind in dict.fromkeys(made_of) if kind not in kinds]
        kinds.update(dict.fromkeys(waiting))
    return tuple(kinds)


def _fixed_places(kind: NodeKind) -> Tensor:
    """The elements of the fixed dims of each node, -1 for the others: (nodes, dims)."""
    fixed = torch.tensor([not dim.free for dim in kind.dims])
    return torch.where(fixed, kind.places(), -1)


def _edges(found: Sequence[Entries], starts: Starts) -> EdgeSet:
    names = tuple(dict.fromkeys(e.name for e in found))
    return EdgeSet(
        names=names,
        target=_joined(e.at(starts)[0] for e in found),
        source=_joined(e.at(starts)[1] for e in found),
        kind=_joined(e.same(names.index(e.name)) for e in found),
        coordinate=_joined(e.coordinate for e in found),
        parameter=_joined(e.same(e.parameter) for e in found),
        place=_stacked([e.place for e in found], fill=-1),
        extent=_stacked([torch.tensor(e.extent, dtype=torch.long).expand(len(e), -1) for e in found], fill=0),
    )


def _features(found: Sequence[Entries], starts: Starts) -> FeatureSet:
    columns: dict[str, int] = {}
    numbers = []
    before: Counter[tuple[str, NodeKind]] = Counter()
    for e in found:
        again = before[key := (e.name, e.ends[0])]
        before[key] += 1
        name = f"{e.name}#{again}" if again else e.name
        names = [f"{name}[{','.join(map(str, place))}]" for place in product(*map(range, e.extent))]
        numbers.append(torch.tensor([columns.setdefault(n, len(columns)) for n in names])[e.number_of_place()])
    return FeatureSet(
        columns=tuple(columns),
        node=_joined(e.at(starts)[0] for e in found),
        column=_joined(numbers),
        coordinate=_joined(e.coordinate for e in found),
        parameter=_joined(e.same(e.parameter) for e in found),
    )


def _joined(parts: Iterable[Tensor]) -> Tensor:
    """Integers (n,) one after another; none where there are no parts."""
    return torch.cat([torch.empty(0, dtype=torch.long), *parts])


def _stacked(parts: Sequence[Tensor], fill: int) -> Tensor:
    """Integers (n, columns) one below the other, those with fewer columns filled up."""
    width = max((part.shape[1] for part in parts), default=0)
    wide = [torch.nn.functional.pad(part, (0, width - part.shape[1]), value=fill) for part in parts]
    return torch.cat([torch.empty(0, width, dtype=torch.long), *wide])
