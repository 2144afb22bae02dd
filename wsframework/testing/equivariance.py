"""How far a map is from respecting the symmetries of a weight space: measured, and judged."""

from __future__ import annotations

from collections.abc import Callable

import torch
from hypothesis import currently_in_test_context, reject
from torch import Tensor

from wsframework.errors import SpaceError
from wsframework.spaces import Symmetry, WeightSpace

TOLERANCES: dict[torch.dtype, float] = {torch.float32: 1e-5, torch.float64: 1e-12}
"""The largest relative error that rounding may cause, by dtype. All judgements of claims use this table."""
GRAIN = 64
"""How many units in the last place of the whole answer's norm rounding may bring into each of its parameters."""

Map = Callable[[Tensor], Tensor]


def equivariance_error(function: Map, space: WeightSpace, x: Tensor, symmetry: Symmetry) -> float:
    """``||f(g x) - g f(x)|| / ||f(x)||`` for f from (..., size) to (..., size), of the parameter where it is largest.

    So a large parameter doesn't hide a small one. Sums over all weights bring their rounding into small parameters,
    though: the norm of a parameter counts as no less than that share of the whole norm of which the tolerated error
    is `GRAIN` units in the last place. Measures only.

    Where ``f(x)`` is zero, so is the error if ``f(g x)`` is, and else infinite.

    Raises:
        SpaceError: if x, or what the function gives, does not live in the space.
    """
    _ = space.unflatten(x)  # x lives in the space, or a SpaceError says so
    answer, moved = _answer(function, x, x.shape), _answer(function, symmetry.act(x), x.shape)
    expected = symmetry.act(answer)
    return max(_relative(moved, expected, answer), _of_parameters(space, moved.double() - expected.double(), answer))


def _of_parameters(space: WeightSpace, difference: Tensor, answer: Tensor) -> float:
    """The largest relative error of a parameter, where all are numbers, and not all of the answer is zero."""
    errors, sizes = (
        torch.stack([value.double().norm() for value in space.unflatten(x).values()]) for x in (difference, answer)
    )
    dtype = answer.dtype if answer.dtype in TOLERANCES else torch.float64
    share = GRAIN * torch.finfo(dtype).eps / TOLERANCES[dtype]
    return float((errors / sizes.clamp(min=share * sizes.norm())).nan_to_num(0.0, posinf=0.0).amax())


def invariance_error(function: Map, space: WeightSpace, x: Tensor, symmetry: Symmetry) -> float:
    """``||f(g x) - f(x)|| / ||f(x)||`` for f from (..., size) to a tensor of any shape. Measures only.

    Raises:
        SpaceError: if x does not live in the space, or the function gives no tensor, or one of another shape for g x.
    """
    _ = space.unflatten(x)
    answer = _answer(function, x)
    return _relative(_answer(function, symmetry.act(x), answer.shape), answer, answer)


def _answer(function: Map, x: Tensor, shape: torch.Size | None = None) -> Tensor:
    """What the function gives, of this shape (None: of any).

    Raises:
        SpaceError: if it gives anything else.
    """
    answer = function(x)
    if not isinstance(answer, Tensor):
        raise SpaceError(f"the function gives no tensor but a {type(answer).__name__}, weights are {tuple(x.shape)}")
    if shape is not None and answer.shape != shape:
        wanted = "" if shape == x.shape else f", and not {tuple(shape)} as before"
        raise SpaceError(f"the function gives {tuple(answer.shape)} where weights are {tuple(x.shape)}{wanted}")
    return answer.detach()


def relative_difference(found: Tensor, expected: Tensor) -> float:
    """``||found - expected|| / ||expected||``; infinite where only the latter is zero."""
    return _relative(found.detach(), expected.detach(), expected.detach())


def _relative(found: Tensor, expected: Tensor, answer: Tensor) -> float:
    difference = (found.double() - expected.double()).norm().item()
    size = answer.double().norm().item()
    if size == 0:
        return 0.0 if difference == 0 else float("inf")
    return float(difference / size)


def _refuse_void(space: WeightSpace, gauge: bool, dtype: torch.dtype, batch: int, draws: int) -> None:
    """Raises: SpaceError where nothing would be tried."""
    if not isinstance(space, WeightSpace):
        raise SpaceError(f"the space is a {type(space).__name__}, not a WeightSpace; WeightSpace.parse reads notation")
    if dtype not in TOLERANCES:
        known = " and ".join(str(known) for known in TOLERANCES)
        raise SpaceError(f"claims are judged in {known}; for {dtype} no tolerance is known")
    if min(batch, draws) < 1:
        raise SpaceError(f"batch = {batch} and draws = {draws} try nothing; both have to be 1 or more")
    scaled = gauge and any(dim.gauge for dim in space.dims if dim.free)
    if max(space.free.values(), default=1) < 2 and not scaled:
        if currently_in_test_context():
            reject()  # another space that was drawn will try more
        raise SpaceError("the space has no free dim of two elements or more, so that every function passes")


def _refuse_change(function: Map, x: Tensor) -> None:
    """Raises: AssertionError where the function changes its input in place."""
    given = x.clone()
    function(given)
    if not torch.equal(given, x):
        raise AssertionError("the function changes its input in place, so that nothing can be said of its claim")


def assert_equivariant(
    function: Map,
    space: WeightSpace,
    *,
    gauge: bool = False,
    dtype: torch.dtype = torch.float64,
    batch: int = 2,
    draws: int = 5,
    generator: torch.Generator | None = None,
) -> None:
    """Refute ``f(g x) = g f(x)`` with random x and g, or pass.

    Arguments:
        function: f, from (batch, size) to (batch, size).
        gauge: whether g has signs and scales, too, or permutes only.
        dtype: of x; `TOLERANCES` says how large the error may be.
        draws: how many pairs of x and g.
        generator: of x and g (default: the same ones every time).

    Raises:
        AssertionError: with the first error that rounding does not explain.
        SpaceError: if the function gives no tensor, or one of another shape than x; or if nothing would be tried.
    """
    _judge(equivariance_error, "equivariant", function, space, gauge, dtype, batch, draws, generator)


def assert_invariant(
    function: Map,
    space: WeightSpace,
    *,
    gauge: bool = False,
    dtype: torch.dtype = torch.float64,
    batch: int = 2,
    draws: int = 5,
    generator: torch.Generator | None = None,
) -> None:
    """Refute ``f(g x) = f(x)`` with random x and g, or pass (see `assert_equivariant`)."""
    _judge(invariance_error, "invariant", function, space, gauge, dtype, batch, draws, generator)


def _judge(
    measure: Callable[[Map, WeightSpace, Tensor, Symmetry], float],
    claim: str,
    function: Map,
    space: WeightSpace,
    gauge: bool,
    dtype: torch.dtype,
    batch: int,
    draws: int,
    generator: torch.Generator | None,
) -> None:
    _refuse_void(space, gauge, dtype, batch, draws)
    generator = generator or torch.Generator().manual_seed(0)
    for _ in range(draws):
        x = torch.randn(batch, space.size, generator=generator, dtype=dtype)
        _refuse_change(function, x)
        error = measure(function, space, x, _moving(space, gauge, generator))
        if not error <= TOLERANCES[dtype]:  # so put that "not a number" fails
            raise AssertionError(
                f"not {claim}: relative error {error:.2g} under a random symmetry; "
                f"rounding in {dtype} explains at most {TOLERANCES[dtype]:.0e}"
            )


def _moving(space: WeightSpace, gauge: bool, generator: torch.Generator) -> Symmetry:
    """A random symmetry that permutes every dim which has two elements or more: in small ones chance often does not."""
    g, still = space.random_symmetry(generator, gauge=gauge), space.identity_symmetry().permutations
    moved = {name: p.roll(1, -1) if torch.equal(p, still[name]) else p for name, p in g.permutations.items()}
    return Symmetry(space, moved, g.factors)
