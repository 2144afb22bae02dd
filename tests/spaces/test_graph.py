"""The neural graph holds every coordinate once, and moves with the group; nothing but the group moves it."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import replace

import networkx
import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from networkx.algorithms.isomorphism import MultiDiGraphMatcher, categorical_multiedge_match, categorical_node_match
from torch import Tensor
from torch_geometric.data import Batch

from wsframework.errors import SpaceError
from wsframework.spaces import NeuralGraph, Weights, WeightSpace, from_data, neural_graph, to_data
from wsframework.testing.strategies import mlp_spaces, symmetries, weight_spaces, weights

ATTENTION = """
    fixed model=2
    free heads=2 value[heads]=2
    fixed key[heads]=2
    in_proj   (heads key + heads key + heads value) model
    in_bias   (heads key + heads key + heads value)
    out_proj  model (heads value)
    tau       ()"""
CNN = """
    free c1={0} c2={1}
    fixed image=3 kh={2} kw={2} h=2 w=2 out=5
    conv1.weight  c1 image kh kw
    conv1.bias    c1
    conv2.weight  c2 c1 kh kw
    conv2.bias    c2
    head.weight   out (c2 h w)
    head.bias     out"""
DEEP = """
    free a=2 b[a]=3 c[b]=4
    fixed k=2
    weight  (a b c) k
    other   a b c
    bias    (a b c)"""
every_space = weight_spaces() | mlp_spaces() | st.sampled_from([ATTENTION, DEEP]).map(WeightSpace.parse)


@given(every_space, st.data())
def test_weights_come_back_exactly(space: WeightSpace, data: st.DataObject) -> None:
    x = data.draw(weights(space))
    graph = neural_graph(space)
    assert torch.equal(graph.join(*graph.split(x)), x)
    assert torch.equal(from_data(space, to_data(Weights(space, x))).x, x)


def rows(graph: NeuralGraph, x: Tensor, names: Tensor) -> tuple[list[list[float]], list[list[float]]]:
    """All there is to see of a graph whose node k is called ``names[k]``: its nodes in order, its edges as a set."""
    nodes, edges, _ = graph.split(x)
    about = torch.cat([graph.node_kind[:, None].to(x), graph.node_place.to(x), nodes], dim=1)
    renamed = torch.empty_like(about)
    renamed[names] = about
    e = graph.edges
    integers = torch.stack([names[e.source], names[e.target], e.kind, (e.coordinate >= 0).long()], dim=1)
    of_edges = torch.cat([integers.to(x), e.place.to(x), e.extent.to(x), edges[:, None]], dim=1)
    return renamed.tolist(), sorted(of_edges.tolist())


@given(every_space, st.data())
def test_an_element_renames_nodes(space: WeightSpace, data: st.DataObject) -> None:
    g, x = data.draw(symmetries(space, gauge=False)), data.draw(weights(space, batch=1))[0]
    graph = neural_graph(space)
    names = graph.relabelling(g)
    assert torch.equal(names.sort().values, torch.arange(graph.nodes))
    assert rows(graph, g.act(x), names) == rows(graph, x, torch.arange(graph.nodes))
    assert torch.equal(g.act(x)[graph.scalars], x[graph.scalars])


@given(every_space, st.data())
def test_relabellings_compose_as_elements_do(space: WeightSpace, data: st.DataObject) -> None:
    g, h = data.draw(symmetries(space)), data.draw(symmetries(space))
    graph = neural_graph(space)
    assert torch.equal(graph.relabelling(g @ h), graph.relabelling(h)[graph.relabelling(g)])


@given(every_space)
def test_every_coordinate_is_once_where_its_number_of_axes_says(space: WeightSpace) -> None:
    graph = neural_graph(space)
    found = {
        2: graph.edges.coordinate[: graph.edges.weights],
        1: graph.features.coordinate,
        0: graph.scalars,
    }
    for axes, coordinates in found.items():
        wanted = [
            torch.arange(math.prod(space.shapes[p.name])) + space.offsets[p.name]
            for p in space.parameters
            if min(len(p.axes), 2) == axes
        ]
        assert torch.equal(coordinates.sort().values, torch.cat([torch.empty(0, dtype=torch.long), *wanted]))
    assert (graph.edges.coordinate[graph.edges.weights :] == -1).all()


def counted(space: WeightSpace) -> int:
    """Nodes as they are stated, where no end of an entry has two free dims of which neither is within the other."""
    names: set[str] = set()
    for block in space.blocks():
        assume(len(block.axes) <= 2)
        for term in block.axes:
            free = [o.dim for o in term if space.dim(o.dim).free]
            leaves = [d for d in free if not any(d in outers(space, other) for other in free)]
            assume(len(leaves) <= 1 and len(set(free)) == len(free))
            names.add(leaves[0] if leaves else term[0].dim)
    names |= {outer for name in names for outer in outers(space, name) if space.dim(outer).free}
    return sum(math.prod(space.dim(d).size for d in (name, *outers(space, name))) for name in names)


def outers(space: WeightSpace, dim: str) -> list[str]:
    within = space.dim(dim).within
    return [within, *outers(space, within)] if within else []


@given(every_space)
def test_nodes_are_the_elements_of_the_dims_on_axes(space: WeightSpace) -> None:
    graph = neural_graph(space)
    assert graph.nodes == sum(kind.nodes for kind in graph.kinds) == counted(space)


@given(every_space, st.data())
def test_names_are_the_same_at_every_width(space: WeightSpace, data: st.DataObject) -> None:
    dims = (replace(d, size=d.size + data.draw(st.integers(0, 1))) if d.free else d for d in space.dims)
    graph, other = neural_graph(space), neural_graph(WeightSpace(tuple(dims), space.parameters))
    assert graph.edges.names == other.edges.names
    assert graph.features.columns == other.features.columns


def automorphisms(graph: NeuralGraph) -> int:
    """How many renamings of nodes keep the graph without its weights."""
    network = networkx.MultiDiGraph()
    places = graph.node_place.tolist()
    kinds = graph.node_kind.tolist()
    made_of_others_last = sorted(range(graph.nodes), key=lambda node: len(graph.kinds[kinds[node]].dims))
    for node in made_of_others_last:  # which leaves the matcher few dead ends
        network.add_node(node, about=(kinds[node], *places[node]))
    e = graph.edges
    for source, target, *about in torch.cat([e.index.T, e.kind[:, None], e.parameter[:, None], e.place], 1).tolist():
        network.add_edge(source, target, about=tuple(about))
    same = categorical_node_match("about", None), categorical_multiedge_match("about", None)
    return sum(1 for _ in MultiDiGraphMatcher(network, network, *same).isomorphisms_iter())


def order(space: WeightSpace) -> int:
    """How many elements the group has, of the dims that occur."""
    occurring = {o.dim for p in space.parameters for o in p.occurrences}
    rows = {n: p.numel() // p.shape[-1] for n, p in space.identity_symmetry().permutations.items() if n in occurring}
    return math.prod(math.factorial(space.dim(name).size) ** count for name, count in rows.items())


@settings(max_examples=15, suppress_health_check=[HealthCheck.filter_too_much])
@given(weight_spaces(max_dims=4, max_parameters=2, max_size=40))
def test_nothing_but_the_group_keeps_the_graph(space: WeightSpace) -> None:
    assume(1 < order(space) <= 100 and neural_graph(space).nodes <= 16)
    assert automorphisms(neural_graph(space)) == order(space)


@pytest.mark.parametrize(
    ("text", "elements"),
    [
        (ATTENTION, 8),
        (CNN.format(3, 2, 2), 12),
        ("free h=4\nw h h", 24),
        ("free a=2 b=3\nw a b a", 12),  # three free axes: the source is a pair
        ("free a=2 b=3\nw (a b)", 12),
        ("free a=2 b[a]=2 c[b]=2\nw (a b c)", 2 * 2**2 * 2**4),
        ("fixed a=2\nfree b[a]=2 c[b]=2\nw (a b) (a b c)", 2**2 * 2**4),
    ],
)
def test_the_group_of_a_graph_is_that_of_its_space(text: str, elements: int) -> None:
    space = WeightSpace.parse(text)
    assert automorphisms(neural_graph(space)) == order(space) == elements


def test_kernels_of_every_size_have_the_same_kinds_of_edges() -> None:
    small, large = (neural_graph(WeightSpace.parse(CNN.format(*sizes))) for sizes in ((4, 6, 3), (8, 3, 5)))
    assert small.edges.names == large.edges.names == ("conv1.weight", "conv2.weight", "head.weight")
    assert small.features.columns == large.features.columns
    assert [str(kind) for kind in small.kinds] == ["c1", "image", "c2", "out"]  # no node for a tap, or after a flatten
    second = large.edges.kind == 1
    assert int(second.sum()) == 3 * 8 * 25
    assert len(large.edges.index[:, second].unique(dim=1).T) == 3 * 8
    assert large.edges.extent[second].unique(dim=0).tolist() == [[5, 5]]
    assert len(large.edges.place[second].unique(dim=0)) == 25


def test_summands_are_kinds_of_edges_and_heads_are_nodes() -> None:
    graph = neural_graph(WeightSpace.parse(ATTENTION))
    assert [str(kind) for kind in graph.kinds] == ["heads", "model", "heads value"]
    assert [n for n in graph.edges.names if n.startswith("in")] == ["in_proj", "in_proj@1+0", "in_proj@2+0"]
    (within,) = [n for n, name in enumerate(graph.edges.names) if name.startswith("#within")]
    assert graph.edges.index[:, graph.edges.kind == within].T.tolist() == [[0, 4], [0, 5], [1, 6], [1, 7]]


def test_parameters_of_one_role_at_the_same_nodes_have_columns_of_their_own() -> None:
    space = WeightSpace.parse("free h=2 k=3\na h as r\nb h as r\nc k as r")
    assert neural_graph(space).features.columns == ("r[]", "r#1[]")
    assert torch.equal(neural_graph(space).join(*neural_graph(space).split(torch.arange(7.0))), torch.arange(7.0))


def test_graphs_of_different_widths_make_a_batch() -> None:
    spaces = [WeightSpace.parse(CNN.format(*sizes)) for sizes in ((2, 3, 3), (4, 2, 5))]
    graphs = [to_data(Weights(space, torch.randn(1, space.size)))[0] for space in spaces]
    batch = Batch.from_data_list(graphs)
    assert batch.num_nodes == sum(neural_graph(space).nodes for space in spaces)
    for space, one in zip(spaces, batch.to_data_list(), strict=True):
        neural_graph(space).join(one.x, one.edge_attr[:, 0], one.scalars[0])


def test_it_is_differentiable_both_ways() -> None:
    space = WeightSpace.parse(ATTENTION)
    x = torch.randn(1, space.size, requires_grad=True)
    from_data(space, to_data(Weights(space, x))).x.square().sum().backward()
    assert torch.allclose(x.grad, 2 * x)


def test_what_does_not_fit_is_refused() -> None:
    space, other = WeightSpace.parse("free h=2\nw h h\nb h"), WeightSpace.parse("free h=3\nw h h\nb h")
    with pytest.raises(SpaceError, match="x has 5 coordinates; the space of this graph has 6"):
        neural_graph(space).split(torch.zeros(5))
    with pytest.raises(SpaceError, match=r"2 nodes with 1 features, 4 edges.*given were 3 nodes"):
        from_data(space, to_data(Weights(other, torch.zeros(1, other.size))))
    with pytest.raises(SpaceError, match="at least one graph"):
        from_data(space, [])


def test_a_graph_is_built_once_and_without_torch_geometric() -> None:
    assert neural_graph(WeightSpace.parse(ATTENTION)) is neural_graph(WeightSpace.parse(ATTENTION))
    script = "import sys, wsframework.spaces as s; s.neural_graph(s.WeightSpace.parse('free h=2\\nw h h'))"
    subprocess.run([sys.executable, "-c", f"{script}; assert 'torch_geometric' not in sys.modules"], check=True)
