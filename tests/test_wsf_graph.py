"""`graph`: equivariance over many spaces, what the output depends on, other widths and depths, refusals."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from wsf_graph import update
from wsf_graph.denoiser import GraphDenoiser
from wsf_graph.grid import grid
from wsf_graph.update import EdgePool, EdgeUpdate

from wsframework.benchmarks.graph_layers import perceptron, run, steps
from wsframework.benchmarks.rivals.message_passing import SparseLayer
from wsframework.errors import SpaceError
from wsframework.spaces import WeightSpace, neural_graph
from wsframework.testing.strategies import weight_spaces


def mlp(widths: list[int], biases: bool = True, inputs: int = 2, outputs: int = 3) -> WeightSpace:
    """The space of an MLP with hidden layers of ``widths``."""
    dims = ["in", *(f"hidden{i}" for i in range(1, len(widths) + 1)), "out"]
    roles = ["input", *["hidden"] * (len(widths) - 1), "output"]
    free = " ".join(f"{dim}={width}" for dim, width in zip(dims[1:-1], widths, strict=True))
    lines = [f"free {free}", f"fixed in={inputs} out={outputs}"]
    for i, role in enumerate(roles):
        lines.append(f"layers.{i}.weight {dims[i + 1]} {dims[i]} as {role}.weight")
        if biases:
            lines.append(f"layers.{i}.bias {dims[i + 1]} as {role}.bias")
    return WeightSpace.parse("\n".join(lines))


def randomized(space: WeightSpace, condition_size: int = 3, seed: int = 0, **options: int) -> GraphDenoiser:
    """A small float64 denoiser whose parameters are all random."""
    options = {"width": 12, "edge_width": 8, "layers": 2} | options
    denoiser = GraphDenoiser(space, condition_size, **options).double()
    generator = torch.Generator().manual_seed(seed)
    for p in denoiser.parameters():
        p.data = torch.randn(p.shape, generator=generator, dtype=p.dtype) / max(p.shape[-1], 1) ** 0.5
    return denoiser


def inputs(space: WeightSpace, condition_size: int = 3, seed: int = 1) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    x_t = torch.randn(3, space.size, generator=generator, dtype=torch.float64)
    condition = torch.randn(3, condition_size, generator=generator, dtype=torch.float64)
    return x_t, torch.rand(3, generator=generator, dtype=torch.float64), condition


def relative(a: Tensor, b: Tensor) -> float:
    return float(((a - b).norm() / b.norm()).detach())


def equivariance_error(denoiser: GraphDenoiser, space: WeightSpace, x_t: Tensor, t: Tensor, c: Tensor, seed: int):
    g = space.random_symmetry(torch.Generator().manual_seed(seed))
    return relative(denoiser(g.act(x_t), t, c, space), g.act(denoiser(x_t, t, c, space)))


spaces = st.builds(
    mlp,
    st.lists(st.integers(1, 16), min_size=1, max_size=4),
    st.booleans(),
    inputs=st.integers(1, 3),
    outputs=st.integers(1, 3),
)


@settings(deadline=None, max_examples=10)
@given(space=spaces, condition_size=st.integers(0, 3), seed=st.integers(0, 1000))
def test_it_commutes_with_every_permutation_of_neurons(space, condition_size, seed):
    denoiser = randomized(space, condition_size, seed)
    x_t, t, condition = inputs(space, condition_size, seed)
    assert equivariance_error(denoiser, space, x_t, t, condition, seed) < 1e-12
    single = (x_t.float(), t.float(), condition.float())
    assert equivariance_error(denoiser.float(), space, *single, seed) < 1e-5
    assert GraphDenoiser.symmetry == "equivariant"


RECURRENT = WeightSpace.parse(
    """
    free hidden=5
    fixed in=2 out=3
    enter   hidden in
    loop    hidden hidden
    second  hidden hidden
    scale   hidden
    bias    hidden
    leave   out hidden
    skip    out in"""
)


def test_loops_parallel_weights_and_several_vectors_a_neuron_keep_equivariance():
    denoiser = randomized(RECURRENT)
    assert equivariance_error(denoiser, RECURRENT, *inputs(RECURRENT), seed=0) < 1e-12


def test_inputs_and_outputs_are_told_apart():
    space = mlp([4])
    wider = WeightSpace.parse(str(space).replace("fixed in=2 out=3", "free in=2 out=3"))
    g = wider.random_symmetry(torch.Generator().manual_seed(2))
    assert g.permutations["in"].tolist() == [1, 0]
    denoiser = randomized(space)
    x_t, t, condition = inputs(space)
    moved = denoiser(g.act(x_t), t, condition, space)
    assert relative(moved, g.act(denoiser(x_t, t, condition, space))) > 1e-3


@pytest.mark.parametrize("space", [mlp([3, 4]), mlp([3, 2, 3], biases=False), RECURRENT])
def test_every_output_depends_on_every_input(space):
    denoiser = randomized(space)
    x_t, t, condition = inputs(space)

    def first(x_t: Tensor, t: Tensor, condition: Tensor) -> Tensor:
        return denoiser(x_t[None], t[None], condition[None], space)[0]

    for jacobian in torch.autograd.functional.jacobian(first, (x_t[0], t[0], condition[0])):
        assert (jacobian.abs() > 1e-12).all()


def test_a_gradient_reaches_every_parameter_of_a_new_denoiser():
    space = mlp([3, 4])
    denoiser = GraphDenoiser(space, 3, width=12, layers=2).double()
    denoiser(*inputs(space), space).square().sum().backward()
    for name, parameter in denoiser.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


def test_a_state_dict_carries_the_whole_denoiser():
    space = mlp([3, 4])
    one, other = randomized(space, seed=0), randomized(space, seed=1)
    assert not torch.equal(one(*inputs(space), space), other(*inputs(space), space))
    other.load_state_dict(one.state_dict(), strict=True)
    assert torch.equal(one(*inputs(space), space), other(*inputs(space), space))


def test_members_of_a_batch_do_not_see_one_another():
    space = mlp([3, 4])
    denoiser = randomized(space)
    x_t, t, condition = inputs(space)
    alone = torch.cat([denoiser(x_t[[i]], t[[i]], condition[[i]], space) for i in range(3)])
    assert relative(alone, denoiser(x_t, t, condition, space)) < 1e-12


@settings(deadline=None, max_examples=10)
@given(widths=st.lists(st.integers(1, 9), min_size=1, max_size=4), outputs=st.integers(1, 3), seed=st.integers(0, 99))
def test_one_denoiser_serves_other_widths_and_depths(widths, outputs, seed):
    denoiser = randomized(mlp([4, 4]))
    space = mlp(widths, outputs=outputs)
    x_t, t, condition = inputs(space, seed=seed)
    out = denoiser(x_t, t, condition, space)
    assert out.shape == x_t.shape
    assert out.isfinite().all()
    assert equivariance_error(denoiser, space, x_t, t, condition, seed) < 1e-12


EVERY = spaces | weight_spaces(max_dims=4, max_parameters=4, max_size=300)


@settings(deadline=None, max_examples=8)
@given(space=EVERY, seed=st.integers(0, 99))
def test_what_is_done_on_grids_is_what_messages_along_edges_do(space, seed):
    """The same matrices in sparse message passing, on the edges that `wsframework.spaces.neural_graph` has."""
    denoiser = randomized(space, seed=seed)
    state, found = denoiser.start(*inputs(space, seed=seed), space)
    graph = neural_graph(space)
    h, p, c = state[0].transpose(0, 1), sparse_edges(denoiser, space, state[1]), state[3]
    for layer in denoiser.layers:
        state, (h, p, c) = layer(state, found), SparseLayer(layer)(h, p, c, graph)
    torch.testing.assert_close(h.transpose(0, 1), state[0], rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(c, state[3], rtol=1e-10, atol=1e-10)
    weights = graph.edges.weights
    torch.testing.assert_close(
        p[:, :weights], sparse_edges(denoiser, space, state[1])[:, :weights], rtol=1e-10, atol=1e-10
    )


def sparse_edges(denoiser: GraphDenoiser, space: WeightSpace, p: list[Tensor]) -> Tensor:
    """Edges of each table in the order of `wsframework.spaces.neural_graph`; those without weights as at first."""
    edges, found = neural_graph(space).edges, grid(space)
    weights, p = sum(table.weights for table in found.edges), [part.detach() for part in p]
    place = found.order.argsort()[edges.coordinate[: edges.weights]]
    kept = [torch.cat(p[:weights])[place]] if weights else []
    names = [edges.names[kind] for kind in edges.kind[edges.weights :]]
    kept += [denoiser.nodes.links.weight[denoiser.nodes.within[name]].expand(1, 3, -1) for name in names]
    return torch.cat([torch.empty(0, 3, 8, dtype=torch.float64), *kept]).transpose(0, 1)


@settings(deadline=None, max_examples=10)
@given(space=EVERY)
def test_every_coordinate_has_one_place(space):
    found = grid(space)
    assert found.order.sort().values.equal(torch.arange(space.size))
    assert sum(found.sizes) == space.size
    assert found.nodes == [kind.nodes for kind in neural_graph(space).kinds]
    assert sum(table.entries for table in found.edges) == len(neural_graph(space).edges)


def test_a_grid_is_built_once():
    assert grid(mlp([7])) is grid(mlp([7]))


@pytest.mark.parametrize("chunk", [10, 2**18])
@pytest.mark.parametrize("shape", [(1, 4, 3, 1), (3, 2, 1, 2), (2, 1, 1, 1)])
def test_the_gradient_of_edges_is_that_of_their_values_in_pieces_of_any_size(monkeypatch, shape, chunk):
    monkeypatch.setattr(update, "CHUNK", chunk)
    shared, targets, sources, labels = shape
    sizes = ((shared * targets * sources * labels, 2, 3), (shared, targets, 2, 3), (shared, sources, 2, 3), (3, 3))
    generator = torch.Generator().manual_seed(0)
    p, u, v, a = (torch.randn(s, generator=generator, dtype=torch.float64, requires_grad=True) for s in sizes)
    torch.autograd.gradcheck(lambda *given: EdgeUpdate.apply(*given, shape), (p, u, v, a), fast_mode=True)
    torch.autograd.gradcheck(lambda p: EdgePool.apply(p, shape), (p,), fast_mode=True)


def test_a_role_or_an_output_never_seen_is_refused():
    denoiser = randomized(mlp([4]))
    deeper, broader = mlp([4, 4]), mlp([4], outputs=4)
    with pytest.raises(SpaceError, match=r"no embedding for 'hidden.weight\[\]'"):
        denoiser(*inputs(deeper), deeper)
    with pytest.raises(SpaceError, match=r"no embedding for 'output.weight\[3\]'; did you mean"):
        denoiser(*inputs(broader), broader)


def test_ends_never_seen_are_refused():
    denoiser, space = randomized(WeightSpace.parse("free a=2 b=3\nw a b")), WeightSpace.parse("free a=2 b=3\nw a")
    with pytest.raises(SpaceError, match="no embedding for the end of edges 'w:'"):
        denoiser(*inputs(space), space)


def test_the_benchmark_stands_beside_the_same_update():
    for dense, sparse in zip(*(step() for step in steps(perceptron((2, 3, 4, 1)), 3)), strict=True):
        torch.testing.assert_close(dense, sparse, rtol=1e-4, atol=1e-4)
    (row,) = run(settings=[("tiny", (2, 3, 1), 2)], turns=2).rows
    assert row.name == "tiny 2-3-1, batch 2"
    assert row.value > 0
    assert row.rival == "sparse message passing"
    assert "2 turns" in row.note


def test_the_plugin_offers_it():
    import wsf_graph

    assert GraphDenoiser in list(wsf_graph.wsf_parts())
    assert set(GraphDenoiser.options()) == {"width", "edge_width", "layers"}
