"""`graph`: equivariance over many spaces, what the output depends on, other widths and depths, refusals."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from wsf_graph.denoiser import GraphDenoiser
from wsf_graph.neural_graph import neural_graph

from wsframework.errors import SpaceError
from wsframework.spaces import WeightSpace


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


@settings(deadline=None, max_examples=40)
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


@pytest.mark.parametrize("space", [mlp([4]), mlp([3, 4]), mlp([3, 2, 3], biases=False), RECURRENT])
def test_every_output_depends_on_every_input(space):
    denoiser = randomized(space)
    x_t, t, condition = inputs(space)

    def first(x_t: Tensor, t: Tensor, condition: Tensor) -> Tensor:
        return denoiser(x_t[None], t[None], condition[None], space)[0]

    for jacobian in torch.func.jacrev(first, argnums=(0, 1, 2))(x_t[0], t[0], condition[0]):
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


@settings(deadline=None, max_examples=20)
@given(widths=st.lists(st.integers(1, 9), min_size=1, max_size=4), outputs=st.integers(1, 3), seed=st.integers(0, 99))
def test_one_denoiser_serves_other_widths_and_depths(widths, outputs, seed):
    denoiser = randomized(mlp([4, 4]))
    space = mlp(widths, outputs=outputs)
    x_t, t, condition = inputs(space, seed=seed)
    out = denoiser(x_t, t, condition, space)
    assert out.shape == x_t.shape
    assert out.isfinite().all()
    assert equivariance_error(denoiser, space, x_t, t, condition, seed) < 1e-12


@settings(deadline=None, max_examples=20)
@given(space=spaces)
def test_every_coordinate_is_one_edge_or_one_bias_between_the_right_neurons(space):
    graph = neural_graph(space, torch.device("cpu"))
    assert torch.cat([graph.edge_position, graph.bias_position]).sort().values.equal(torch.arange(space.size))
    assert graph.nodes == sum(dim.size for dim in space.dims)
    starts = {name: int((graph.node_dim < place).sum()) for place, name in enumerate(graph.dims)}
    for number, (row, column) in ((i, p.occurrences) for i, p in enumerate(space.parameters) if len(p.axes) == 2):
        shape = space.shapes[space.parameters[number].name]
        mine = graph.edge_parameter == number
        weight = torch.full(shape, -1)
        source, target = graph.edges[:, mine]
        weight[target - starts[row.dim], source - starts[column.dim]] = graph.edge_position[mine]
        offset = space.offsets[space.parameters[number].name]
        assert weight.flatten().equal(torch.arange(weight.numel()) + offset)


def test_the_graph_of_a_space_is_built_once():
    cpu = torch.device("cpu")
    assert neural_graph(mlp([7]), cpu) is neural_graph(mlp([7]), cpu)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("odd h (a b)", "parameter 'odd' has an axis that is a product or a sum of dims"),
        ("odd h (a + b)", "parameter 'odd' has an axis that is a product or a sum of dims"),
        ("odd h a b", "parameter 'odd' has 3 axes"),
        ("odd ()", "parameter 'odd' has 0 axes"),
        ("odd h v", r"parameter 'odd' has dim 'v', which depends on 'h'"),
    ],
)
def test_a_parameter_that_is_no_edge_or_bias_is_refused(line, reason):
    space = WeightSpace.parse(f"free h=2 v[h]=2\nfixed a=2 b=3\nfine h a\n{line}")
    with pytest.raises(SpaceError, match=f"{reason}.*one or two axes"):
        GraphDenoiser(space, 0)


def test_a_role_or_an_output_never_seen_is_refused():
    denoiser = randomized(mlp([4]))
    deeper, broader = mlp([4, 4]), mlp([4], outputs=4)
    with pytest.raises(SpaceError, match=r"'layers.1.weight' has role 'hidden.weight'.*did you mean"):
        denoiser(*inputs(deeper), deeper)
    with pytest.raises(SpaceError, match=r"fixed dim 'out' has 4 elements, of which .* built with 3"):
        denoiser(*inputs(broader), broader)


def test_the_plugin_offers_it():
    import wsf_graph

    assert GraphDenoiser in list(wsf_graph.wsf_parts())
    assert set(GraphDenoiser.options()) == {"width", "edge_width", "layers"}
