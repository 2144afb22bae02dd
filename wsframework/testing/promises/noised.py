"""A Gaussian and its noised forms: what steps of a scheduler are tried on, and where they lead astray."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise
from typing import cast

import torch
from hypothesis import strategies as st
from torch import Tensor

from wsframework.parts.interfaces import Denoise, Scheduler
from wsframework.testing.check import may_decline
from wsframework.testing.subject import Subject

F64 = torch.float64
POINTS = 8_000
STEPPING = 5.0
"""How much one step may add to the deviation or the mean, over the square of how far alpha and sigma move in it.

A solver of first order or better errs by less than 4 on Gaussians of deviation 0.3 and more.
"""


@dataclass(frozen=True, eq=False)
class SchedulerCase:
    """A scheduler, a Gaussian that it should lead back to, and how many steps it takes.

    Attributes:
        each_step: whether each step is judged by itself, and not the whole way.
    """

    subject: Subject
    mean: float
    std: float
    steps: int | None
    seed: int
    points: int = POINTS
    each_step: bool = False

    def __str__(self) -> str:
        return f"N({self.mean:.3g}, {self.std:.3g}^2), the training grid and times({self.steps}), seed {self.seed}"

    @cached_property
    def standard(self) -> Tensor:
        """Draws of mean 0 and deviation 1 exactly, (points,)."""
        z = torch.randn(self.points, generator=torch.Generator().manual_seed(self.seed + 2), dtype=F64)
        return (z - z.mean()) / z.std(correction=0)

    def scheduler(self) -> Scheduler:
        """As its options say."""
        with may_decline():
            return cast(Scheduler, self.subject.build())

    def exact(self, scheduler: Scheduler) -> Denoise:
        """E[x_0 | x_t] where x_0 ~ N(mean, std^2): what a perfect denoiser answers."""

        def denoise(x_t: Tensor, t: Tensor) -> Tensor:
            alpha, sigma = scheduler.alpha_sigma(t)
            gain = alpha * self.std**2 / (alpha**2 * self.std**2 + sigma**2)
            return self.mean + gain * (x_t - alpha * self.mean)

        return denoise

    def moments(self, scheduler: Scheduler, t: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and deviation of ``alpha_t x_0 + sigma_t eps``, in float64."""
        alpha, sigma = scheduler.alpha_sigma(t.double())
        return alpha * self.mean, ((alpha * self.std) ** 2 + sigma**2).sqrt()

    def noised(self, scheduler: Scheduler, t: Tensor) -> Tensor:
        """Draws of x_t, whose mean and deviation are exact, (points,)."""
        mean, std = self.moments(scheduler, t)
        return mean + std * self.standard

    def sample(self, scheduler: Scheduler, denoise: Denoise, x: Tensor, steps: int | None, seed: int = 0) -> Tensor:
        """The whole way from x at time 1 to time 0."""
        carry, generator, x = None, torch.Generator().manual_seed(seed), x.clone()
        for t, s in pairwise(scheduler.times(steps).to(x)):
            torch.default_generator.manual_seed(0)  # of the CPU alone: that of all devices looks through the stack
            x, carry = scheduler.step(denoise, x, t, s, carry, generator)
        return x


def any_case(subject: Subject) -> st.SearchStrategy[SchedulerCase]:
    """Gaussians of several means and widths."""
    return st.builds(
        SchedulerCase,
        st.just(subject),
        st.floats(-2, 2).map(lambda v: round(v, 2)),
        st.floats(0.5, 1.5).map(lambda v: round(v, 2)),
        st.integers(1, 30),
        st.integers(0, 2**16),
    )


def exact_case(subject: Subject) -> Sequence[SchedulerCase]:
    """So many points that each step can be judged by itself, on coarse grids and on one whose steps err by little."""
    return [SchedulerCase(subject, 0.7, 0.6, steps, 0, points=80_000, each_step=True) for steps in (10, None, 1000)]


def numbers_of_steps(subject: Subject) -> Sequence[SchedulerCase]:
    """Every number of steps that is generated, and one that is not; and an estimate far from zero."""
    usual = [SchedulerCase(subject, 0.7, 0.6, steps, 0) for steps in (*range(2, 31), 100)]
    return [*usual, SchedulerCase(subject, -40.0, 0.6, 10, 0)]


def fault_of_the_way(case: SchedulerCase, scheduler: Scheduler, generator: torch.Generator) -> str:
    """What is wrong on the way along the training grid, where it is first seen."""
    denoise, carry = case.exact(scheduler), None
    times = scheduler.times().double()
    x = case.noised(scheduler, times[0])
    for t, s in pairwise(times):
        x, carry = scheduler.step(denoise, x, t, s, carry, generator)
        std, steps = float(case.moments(scheduler, s)[1]), len(times) - 1
        drawing = 5 * std / math.sqrt(case.points)
        if fault := _fault(case, scheduler, (x.mean(), x.std()), s, drawing + std / steps, drawing + 6 * std / steps):
            return f"at time {s:.3g} of {steps} steps, {fault}"
    return ""


def fault_of_a_step(case: SchedulerCase, scheduler: Scheduler, t: Tensor, s: Tensor, seed: int) -> str:
    """What is wrong after one step from the noised form of time t.

    The step's own noise is what becomes of x_t without deviation, and is the same for equal generators. So drawing
    explains so much of the mean as the noise has, and so much of the deviation as the noise's square has.
    """
    x_t, step = case.noised(scheduler, t), partial(scheduler.step, case.exact(scheduler))
    starts = x_t.clone(), x_t.mean().expand_as(x_t).clone()
    x_s, noise = (step(x, t, s, None, torch.Generator().manual_seed(seed))[0].double() for x in starts)
    (alpha_t, sigma_t), (alpha_s, sigma_s) = scheduler.alpha_sigma(t), scheduler.alpha_sigma(s)
    way = float((alpha_s - alpha_t).abs() + (sigma_s - sigma_t).abs())
    own = noise.var(correction=0)
    std = ((x_s - noise).var(correction=0) + own).sqrt()
    drawn = own.sqrt() / case.points**0.5, own / std / (2 * case.points) ** 0.5
    if fault := _fault_of_noise(noise):
        return fault
    of_mean, of_std = (STEPPING * way**2 + 5 * float(error) + 1e-9 for error in drawn)
    return _fault(case, scheduler, (x_s.mean(), std), s, of_mean, of_std)


def _fault_of_noise(noise: Tensor) -> str:
    """What tells a step's noise from a Gaussian's, whose fourth moment is three squared variances; or nothing."""
    centred = noise - noise.mean()
    variance = float(centred.square().mean())
    if variance < 1e-18:
        return ""
    found, drawing = float(centred.pow(4).mean()) / variance**2, 10 * (24 / len(noise)) ** 0.5
    right = abs(found - 3) <= drawing
    return "" if right else f"its noise is no Gaussian's: the fourth moment is {found:.3g} squared variances, not 3"


def _fault(
    case: SchedulerCase, scheduler: Scheduler, found: tuple[Tensor, Tensor], s: Tensor, of_mean: float, of_std: float
) -> str:
    """How far mean and deviation are from those of time s, if farther than drawing and finite steps explain."""
    wanted = case.moments(scheduler, s)
    for name, value, right, slack in zip(("mean", "deviation"), found, wanted, (of_mean, of_std), strict=True):
        if not abs(float(value - right)) <= slack:
            return f"the {name} is {value:.6g}, not {right:.6g}; drawing and finite steps explain {slack:.2g}"
    return ""
