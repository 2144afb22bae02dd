"""The dynamics family: its solutions solve its equations, and networks learn them without having seen any."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from wsf_conditioners.code import Code
from wsf_conditioners.moments import Moments
from wsf_networks.mlp import Mlp
from wsf_tasks.dynamics import Dynamics
from wsf_tasks.equations import EQUATIONS, Residual, slope

from wsframework.errors import PartError
from wsframework.tasks import Differential, TaskBatch
from wsframework.training import Budget, query_scores, support_losses, train_networks

SEEDS = st.integers(0, 2**40)
NAMES = st.sampled_from(sorted(EQUATIONS))
STEP = 1e-4


def case(name: str, seed: int, points: int = 12) -> tuple[Tensor, Tensor]:
    """Places within the box, a step from its faces, and coefficients: float64."""
    equation, generator = EQUATIONS[name], torch.Generator().manual_seed(seed)
    c = equation.draw(generator).double().expand(points, -1)
    low, high = torch.tensor(equation.low, dtype=torch.float64), torch.tensor(equation.high, dtype=torch.float64)
    share = 0.01 + 0.98 * torch.rand(points, len(low), generator=generator, dtype=torch.float64)
    return low + (high - low) * share, c


def differences(u: Callable[[Tensor], Tensor], x: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """First and second differences of ``u`` along an input."""
    h = torch.zeros(x.shape[-1], dtype=x.dtype)
    h[axis] = STEP
    after, here, before = u(x + h), u(x), u(x - h)
    return (after - before) / (2 * STEP), (after - 2 * here + before) / STEP**2


@settings(deadline=None, max_examples=20)
@given(name=NAMES, seed=SEEDS)
def test_the_solution_satisfies_the_equation_by_finite_differences(name: str, seed: int) -> None:
    x, c = case(name, seed)
    columns = c.unbind(-1)

    def u(places: Tensor) -> Tensor:
        return EQUATIONS[name].solution(places, c).squeeze(-1)

    first, second = differences(u, x, 0)
    left_over = {
        "oscillator": lambda: second + 2 * columns[1] * columns[0] * first + columns[0] ** 2 * u(x),
        "heat": lambda: differences(u, x, 1)[0] - columns[0] * second,
        "burgers": lambda: differences(u, x, 1)[0] + u(x) * first - columns[0] * second,
    }[name]()
    assert left_over.abs().max() < 1e-4


@settings(deadline=None, max_examples=20)
@given(name=NAMES, seed=SEEDS)
def test_the_solution_has_no_residual_and_another_has(name: str, seed: int) -> None:
    x, c = case(name, seed)
    equation, objective = EQUATIONS[name], Residual(EQUATIONS[name])

    def solved(places: Tensor) -> Tensor:
        return equation.solution(places, c[:1].expand(len(places), -1))

    y = torch.cat([solved(x), c], -1)
    assert objective.residuals(solved, x, y).max() < 1e-12  # what quadrature leaves of it, for burgers
    assert objective.residuals(lambda places: 1.5 * solved(places), x, y).mean() > 1e-3
    assert objective.score(solved(x), y) == 0
    assert objective.score(torch.zeros_like(y[:, :1]), y) == 1


@pytest.mark.parametrize("activation", ["tanh", "gelu", "silu", "relu"])
def test_a_network_of_the_batched_program_is_differentiated_twice(activation: str) -> None:
    generator = torch.Generator().manual_seed(0)
    family, networks = Dynamics(), Mlp(widths=(6, 5), activation=activation)  # type: ignore[arg-type]
    parameters = networks.space(family.shape).unflatten(networks.initialize(family.shape, 3, generator).double())
    x = torch.rand(3, 7, 1, generator=generator, dtype=torch.float64).requires_grad_()

    def u(places: Tensor) -> Tensor:
        return networks.apply(family.shape, parameters, places).squeeze(-1)

    du = slope(u(x), x)[..., 0]
    first, second = differences(lambda places: u(places).detach(), x.detach(), 0)
    assert torch.allclose(du, first, atol=1e-6)
    assert torch.allclose(slope(du, x)[..., 0], second, atol=1e-5)


def test_of_a_linear_network_the_second_derivative_is_nothing() -> None:
    x = torch.rand(4, 1).requires_grad_()
    assert not slope(slope(3 * x[:, 0], x)[:, 0], x).any()


@pytest.mark.parametrize("name", EQUATIONS)
def test_networks_learn_the_solution_from_the_residual_alone(name: str) -> None:
    family, generator = Dynamics(equation=name, points=40), torch.Generator().manual_seed(5)  # type: ignore[arg-type]
    batch = TaskBatch.of(family.draw(4, 0, 0, generator).seen)
    batch.support.y[..., 0] = math.nan  # were a solution looked at, so would the loss be
    assert isinstance(batch.objective, Differential)
    networks = Mlp(widths=(16, 16), activation="tanh")
    x = networks.initialize(family.shape, 4, generator)
    losses = support_losses(networks, family.shape, x, batch)
    error = query_scores(networks, family.shape, x, batch)[1]
    *_, last = train_networks(networks, family.shape, x, batch, Budget(150, 1e-2, 40), generator)
    assert (support_losses(networks, family.shape, last.x, batch) < 0.3 * losses).all()
    assert query_scores(networks, family.shape, last.x, batch)[1].mean() < 0.75 * error.mean()


def test_conditioners_of_data_refuse_targets_that_hold_the_answer() -> None:
    family = Dynamics()
    (task,) = family.draw(1, 0, 0, torch.Generator().manual_seed(2)).seen
    with pytest.raises(PartError, match=r"moments of 5 targets .* 1 outputs: .* conditioner 'code'"):
        Moments(family.shape).describe(task)
    assert task.code is not None
    assert torch.equal(Code(family.shape).describe(task), task.code)
