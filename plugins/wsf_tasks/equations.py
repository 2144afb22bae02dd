"""Differential equations with known solutions, and the objective that trains a network to solve them."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

Function = Callable[[Tensor], Tensor]
"""A network: inputs (..., points, inputs) to outputs (..., points, 1), each example's its own affair."""


class Equation(ABC):
    """A differential equation, whose coefficients c differ from task to task.

    Attributes:
        written: the equation and its conditions, as one writes them.
        inputs: names of what the solution is a function of, time last.
        low, high: corners of the box of inputs.
        coefficients: their names.
    """

    written: ClassVar[str]
    inputs: ClassVar[tuple[str, ...]]
    low: ClassVar[tuple[float, ...]]
    high: ClassVar[tuple[float, ...]]
    coefficients: ClassVar[tuple[str, ...]]

    @abstractmethod
    def draw(self, generator: torch.Generator) -> Tensor:
        """Coefficients of one task, (coefficients,)."""

    @abstractmethod
    def solution(self, x: Tensor, c: Tensor) -> Tensor:
        """The solution at x (..., points, inputs) for c (..., points, coefficients): (..., points, 1)."""

    @abstractmethod
    def residuals(self, function: Function, x: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        """Squared violations of the equation and of its conditions at x, shaped as above: both (..., points)."""


class Oscillator(Equation):
    """A damped oscillator over t in [0, 1]; its violations are in units of ``omega^2`` and, at 0, of ``omega``."""

    written = "u'' + 2 zeta omega u' + omega^2 u = 0, u(0) = u0, u'(0) = v0"
    inputs, low, high = ("t",), (0.0,), (1.0,)
    coefficients = ("omega", "zeta", "u0", "v0")

    def draw(self, generator: torch.Generator) -> Tensor:
        """omega ~ U(2, 8), zeta ~ U(0.05, 0.5), and initial values (cos phi, omega sin phi), phi ~ U(0, 2 pi)."""
        omega, zeta, phi = torch.rand(3, generator=generator) * torch.tensor([6.0, 0.45, 2 * math.pi])
        omega, zeta = omega + 2, zeta + 0.05
        return torch.stack([omega, zeta, phi.cos(), omega * phi.sin()])

    def solution(self, x: Tensor, c: Tensor) -> Tensor:
        """``exp(-zeta omega t) (u0 cos(w t) + (v0 + zeta omega u0) / w sin(w t))``, w = omega sqrt(1 - zeta^2)."""
        omega, zeta, u0, v0 = torch.split(c, 1, -1)
        w = omega * (1 - zeta.square()).sqrt()
        wave: Tensor = u0 * (w * x).cos() + (v0 + zeta * omega * u0) / w * (w * x).sin()
        return (-zeta * omega * x).exp() * wave

    def residuals(self, function: Function, x: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        """The initial values are those of one more point, t = 0."""
        omega, zeta, u0, v0 = c.unbind(-1)
        t = torch.cat([x, torch.zeros_like(x[..., :1, :])], -2).detach().requires_grad_()
        u = function(t).squeeze(-1)
        du = slope(u, t)[..., 0]
        ddu = slope(du, t)[..., 0]
        inside = ddu[..., :-1] / omega**2 + 2 * zeta / omega * du[..., :-1] + u[..., :-1]
        at_0 = (u[..., -1:] - u0).square() + ((du[..., -1:] - v0) / omega).square()
        return inside.square(), at_0


class Flow(Equation):
    """An equation for ``u(x, t)``, x in [-1, 1] with u = 0 at both ends, t in [0, 1], from given values at t = 0."""

    inputs, low, high = ("x", "t"), (-1.0, 0.0), (1.0, 1.0)

    @abstractmethod
    def rate(self, u: Tensor, u_x: Tensor, u_xx: Tensor, c: Tensor) -> Tensor:
        """What ``u_t`` is: values (..., points) and c (..., points, coefficients) to (..., points)."""

    def start(self, x: Tensor, c: Tensor) -> Tensor:
        """The solution at time 0, where x (..., points, 2) are: (..., points, 1)."""
        return self.solution(x, c)

    def residuals(self, function: Function, x: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        """Each of x stands for its conditions, too: of its place at time 0, and of both ends at its time."""
        place, time = x[..., :1], x[..., 1:]
        start = torch.cat([place, torch.zeros_like(time)], -1)
        ends = [torch.cat([torch.full_like(place, end), time], -1) for end in (-1.0, 1.0)]
        inside = x.detach().requires_grad_()
        u, at_0, left, right = function(torch.cat([inside, start, *ends], -2)).squeeze(-1).chunk(4, -1)
        u_x, u_t = slope(u, inside).unbind(-1)
        u_xx = slope(u_x, inside)[..., 0]
        conditions = (at_0 - self.start(start, c).squeeze(-1)).square() + left.square() + right.square()
        return (u_t - self.rate(u, u_x, u_xx, c)).square(), conditions


class Heat(Flow):
    """Heat that spreads along a rod, from three waves."""

    written = "u_t = alpha u_xx, u(x, 0) = sum_k a_k sin(k pi (x + 1) / 2), u(-1, t) = u(1, t) = 0"
    coefficients = ("alpha", "a_1", "a_2", "a_3")

    def draw(self, generator: torch.Generator) -> Tensor:
        """alpha ~ U(0.02, 0.3); the waves' amplitudes are a random unit vector."""
        alpha = 0.02 + 0.28 * torch.rand(1, generator=generator)
        return torch.cat([alpha, torch.nn.functional.normalize(torch.randn(3, generator=generator), dim=0)])

    def solution(self, x: Tensor, c: Tensor) -> Tensor:
        """``sum_k a_k exp(-alpha (k pi / 2)^2 t) sin(k pi (x + 1) / 2)``."""
        k = torch.arange(1, 4, device=x.device) * math.pi / 2
        waves: Tensor = c[..., 1:] * (-c[..., :1] * k**2 * x[..., 1:]).exp() * (k * (x[..., :1] + 1)).sin()
        return waves.sum(-1, keepdim=True)

    def rate(self, u: Tensor, u_x: Tensor, u_xx: Tensor, c: Tensor) -> Tensor:
        """``alpha u_xx``."""
        return c[..., 0] * u_xx


class Burgers(Flow):
    """A wave that steepens as it moves, and that viscosity holds back."""

    written = "u_t + u u_x = nu u_xx, u(x, 0) = -a sin(pi x), u(-1, t) = u(1, t) = 0"
    coefficients = ("nu", "a")

    def draw(self, generator: torch.Generator) -> Tensor:
        """nu ~ U(0.05, 0.2), a ~ U(0.3, 1)."""
        return torch.tensor([0.05, 0.3]) + torch.tensor([0.15, 0.7]) * torch.rand(2, generator=generator)

    def solution(self, x: Tensor, c: Tensor) -> Tensor:
        """The transform of Cole and Hopf, by Gauss-Hermite quadrature.

        ``-a E[sin(pi y) f(y)] / E[f(y)]``, y ~ N(x, 2 nu t), f(y) = exp(-a cos(pi y) / (2 pi nu)); see Basdevant et
        al. 1986, Spectral and finite difference solutions of the Burgers equation.
        """
        z, weights = (torch.as_tensor(v, dtype=x.dtype, device=x.device) for v in _HERMITE)
        nu, a = torch.split(c, 1, -1)
        y = math.pi * (x[..., :1] - 2 * (nu * x[..., 1:]).sqrt() * z)
        f: Tensor = weights * (-a * (y.cos() + 1) / (2 * math.pi * nu)).exp()
        return -a * (f * y.sin()).sum(-1, keepdim=True) / f.sum(-1, keepdim=True)

    def start(self, x: Tensor, c: Tensor) -> Tensor:
        """``-a sin(pi x)``, to which no quadrature is needed."""
        return -c[..., 1:] * (math.pi * x[..., :1]).sin()

    def rate(self, u: Tensor, u_x: Tensor, u_xx: Tensor, c: Tensor) -> Tensor:
        """``nu u_xx - u u_x``."""
        return c[..., 0] * u_xx - u * u_x


_HERMITE = np.polynomial.hermite.hermgauss(96)
EQUATIONS: dict[str, Equation] = {"oscillator": Oscillator(), "heat": Heat(), "burgers": Burgers()}


def slope(values: Tensor, x: Tensor) -> Tensor:
    """Derivatives of values (..., points), each by its own example of x (..., points, inputs): shaped as x."""
    if not values.requires_grad:  # constant, as the second derivative of a linear network is
        return torch.zeros_like(x)
    (found,) = torch.autograd.grad(values.sum(), x, create_graph=True, materialize_grads=True)
    return found


@dataclass(frozen=True)
class Residual:
    """How far a network is from solving ``equation``; judged by the relative error in the 2-norm, as in the paper.

    Targets (..., points, 1 + coefficients) hold the solution, by which outputs are judged, and then the
    coefficients, which are all that training needs.

    Attributes:
        weight: of initial and boundary values in the training loss.
    """

    equation: Equation
    weight: float = 1.0
    metric: str = "relative error"
    higher_is_better: bool = False

    def residuals(self, function: Function, x: Tensor, y: Tensor) -> Tensor:
        """Squared residual and conditions: x (..., points, inputs), y as above, to (..., points)."""
        inside, conditions = self.equation.residuals(function, x, y[..., 1:])
        return inside + self.weight * conditions

    def losses(self, outputs: Tensor, y: Tensor) -> Tensor:
        """``(outputs - solution)^2``: outputs (..., points, 1) to (..., points)."""
        return (outputs - y[..., :1]).square().squeeze(-1)

    def score(self, outputs: Tensor, y: Tensor) -> Tensor:
        """``|outputs - solution| / |solution|``: shape (...)."""
        return (self.losses(outputs, y).sum(-1) / y[..., 0].square().sum(-1)).sqrt()

    def vote(self, outputs: Tensor) -> Tensor:
        """The mean answer."""
        return outputs.mean(-3)
