"""Hypothesis strategies: weight spaces, their symmetries, and weights in them.

@given(data())
def test(data):
    space = data.draw(weight_spaces())
    g, x = data.draw(symmetries(space)), data.draw(weights(space))
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from hypothesis import strategies as st
from torch import Tensor

from wsframework.spaces import Axis, Dim, Occurrence, Parameter, Symmetry, WeightSpace
from wsframework.spaces.axis import Product
from wsframework.spaces.notation import Gauge

_SEEDS = st.integers(0, 2**32 - 1)
_TERMS_AND_DEPTHS = st.sampled_from([(1, 0), (1, 0), (3, 0), (1, 1), (3, 2)])  # products, sums, what is nested
WIDE = (2, 40, 33, 1)
"""Sizes of a perceptron with layers wider than `mlp_spaces` draws by default."""


@st.composite
def mlp_spaces(
    draw: st.DrawFn,
    hidden_layers: tuple[int, int] = (1, 4),
    widths: tuple[int, int] = (1, 16),
    bias: bool | None = None,
    gauge: Gauge | None = None,
) -> WeightSpace:
    """Spaces of multilayer perceptrons: ``layers.K.weight`` (out, in) and ``layers.K.bias``, as torch's Linear.

    Their roles are ``input``, ``hidden`` and ``output``, ``.weight`` and ``.bias``.

    Arguments:
        hidden_layers: the least and the greatest number of them.
        widths: the least and the greatest width of a hidden layer.
        bias: whether layers have one (None: drawn).
        gauge: of every hidden dim: incoming weights and biases carry the exponent 1, outgoing weights -1.
    """
    sizes = draw(st.lists(st.integers(*widths), min_size=hidden_layers[0], max_size=hidden_layers[1]))
    ends = draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    return mlp_space((ends[0], *sizes, ends[1]), draw(st.booleans()) if bias is None else bias, gauge)


def mlp_space(sizes: Sequence[int], bias: bool = True, gauge: Gauge | None = None) -> WeightSpace:
    """The space of the perceptron with layers of these ``sizes``, inputs first (see `mlp_spaces`)."""
    names = ["in", *(f"hidden{k}" for k in range(1, len(sizes) - 1)), "out"]
    last = len(sizes) - 1
    dims = tuple(
        Dim(name, size, 0 < k < last, gauge=gauge if 0 < k < last else None)
        for k, (name, size) in enumerate(zip(names, sizes, strict=True))
    )
    parameters = []
    for k in range(last):
        role = "input" if k == 0 else "output" if k == last - 1 else "hidden"
        out = _axis(names[k + 1], 1 if gauge and k < last - 1 else 0)
        into = _axis(names[k], -1 if gauge and k > 0 else 0)
        parameters.append(Parameter(f"layers.{k}.weight", (out, into), f"{role}.weight"))
        if bias:
            parameters.append(Parameter(f"layers.{k}.bias", (out,), f"{role}.bias"))
    return WeightSpace(dims, tuple(parameters))


def _axis(dim: str, exponent: int) -> Axis:
    return Axis(((Occurrence(dim, exponent),),))


@st.composite
def weight_spaces(draw: st.DrawFn, max_dims: int = 5, max_parameters: int = 4, max_size: int = 2000) -> WeightSpace:
    """Spaces of every form the notation has: repeated dims, dims within dims, products, sums, sums within products,
    gauges, scalars.

    Every parameter has a role of its own. Dims have one to four elements.

    Arguments:
        max_dims, max_parameters: how many at most.
        max_size: coordinates at most.
    """
    dims: list[Dim] = []
    for k in range(draw(st.integers(1, max_dims))):
        within = draw(st.none() | st.sampled_from([d.name for d in dims])) if dims else None
        free = draw(st.booleans())
        gauge: Gauge | None = draw(st.sampled_from([None, None, "sign", "scale"])) if free else None
        dims.append(Dim(f"d{k}", draw(st.integers(1, 4)), free, within, gauge))
    parameters: list[Parameter] = []
    for k in range(draw(st.integers(1, max_parameters))):
        name = f"layer.{k}"
        parameter = Parameter(name, draw(_axes(tuple(dims))), draw(st.sampled_from([name, f"role {k}"])))
        if WeightSpace(tuple(dims), (*parameters, parameter)).size <= max_size:
            parameters.append(parameter)
    return WeightSpace(tuple(dims), tuple(parameters) or (Parameter("scalar", (), "scalar"),))


@st.composite
def _axes(draw: st.DrawFn, dims: tuple[Dim, ...]) -> tuple[Axis, ...]:
    """Axes of a parameter; what a dim depends on stands in the same term, or alone in an axis before it."""
    present: set[str] = set()
    axes = []
    for _ in range(draw(st.integers(0, 3))):
        terms, depth = draw(_TERMS_AND_DEPTHS)
        axis = draw(_sums(dims, frozenset(present), terms, depth))
        if len(axis.terms) == 1:
            present |= {factor.dim for factor in axis.terms[0] if isinstance(factor, Occurrence)}
        axes.append(axis)
    return tuple(axes)


@st.composite
def _sums(draw: st.DrawFn, dims: tuple[Dim, ...], present: frozenset[str], terms: int, depth: int) -> Axis:
    """Sums of at most so many terms, whose factors may be sums in turn, as deeply as ``depth`` allows."""
    products = _products(dims, present, depth)
    return Axis(tuple(draw(st.lists(products, min_size=1, max_size=terms))))


@st.composite
def _products(draw: st.DrawFn, dims: tuple[Dim, ...], present: frozenset[str], depth: int) -> Product:
    by_name = {d.name: d for d in dims}
    names: list[str] = []
    for dim in draw(st.lists(st.sampled_from(dims), min_size=1, max_size=2)):
        chain = [dim.name]
        while (within := by_name[chain[0]].within) is not None and within not in present and within not in names:
            chain.insert(0, within)
        names.extend(chain)
    exponents = st.integers(-2, 2)
    ordered = draw(st.sampled_from([names, names[::-1]]))
    factors: list[Occurrence | Axis] = [Occurrence(n, draw(exponents) if by_name[n].gauge else 0) for n in ordered]
    if depth and draw(st.booleans()):
        inner = draw(_sums(dims, present | set(names), 3, depth - 1))
        factors.insert(draw(st.integers(0, len(factors))), inner)
    return tuple(factors)


def symmetries(space: WeightSpace, gauge: bool = True) -> st.SearchStrategy[Symmetry]:
    """Elements of the group of ``space``, the identity among them; ``gauge=False``: permutations only."""
    drawn = _SEEDS.map(lambda seed: space.random_symmetry(torch.Generator().manual_seed(seed), gauge=gauge))
    return st.just(space.identity_symmetry()) | drawn


@st.composite
def weights(
    draw: st.DrawFn, space: WeightSpace, dtype: torch.dtype = torch.float64, batch: int | None = None
) -> Tensor:
    """Standard normal coordinates (batch, space.size); ``batch`` is drawn from one to three where none is given."""
    count = draw(st.integers(1, 3)) if batch is None else batch
    return _normal(draw(_SEEDS), count, space.size, dtype)


def times(batch: int | None = None, dtype: torch.dtype = torch.float64) -> st.SearchStrategy[Tensor]:
    """Times of a process (batch,), in (0, 1], both ends among them; ``batch`` is drawn where none is given."""
    one = st.just(1.0) | st.just(1e-4) | st.floats(1e-4, 1)
    lists = st.lists(one, min_size=batch or 1, max_size=batch or 3)
    return lists.map(lambda values: torch.tensor(values, dtype=dtype))


@st.composite
def conditions(draw: st.DrawFn, size: int, batch: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """Standard normal embeddings of tasks, (batch, size); zeros, as for a condition that was dropped, among them."""
    zero = torch.zeros(batch, size, dtype=dtype)
    return draw(st.just(zero) | _SEEDS.map(lambda seed: _normal(seed, batch, size, dtype)))


def _normal(seed: int, batch: int, size: int, dtype: torch.dtype) -> Tensor:
    return torch.randn(batch, size, generator=torch.Generator().manual_seed(seed), dtype=dtype)
