"""What every scheduler promises."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import cast

import torch
from hypothesis import strategies as st
from torch import Tensor

from wsframework.parts.interfaces import Denoise, Scheduler
from wsframework.testing.check import may_decline, promised, require
from wsframework.testing.subject import Subject

F64 = torch.float64
POINTS = 8_000
MOST = 60
"""How many steps of a grid are judged by themselves."""
NUMBERS = (*range(1, 31), 100, 1000)
"""Numbers of steps for which grids are tried."""
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
    """So many points that each step can be judged by itself, on a fine grid and on a coarse one."""
    return [SchedulerCase(subject, 0.7, 0.6, steps, 0, points=40_000, each_step=True) for steps in (10, None)]


def numbers_of_steps(subject: Subject) -> Sequence[SchedulerCase]:
    """Every number of steps that is generated, and one that is not."""
    return [SchedulerCase(subject, 0.7, 0.6, steps, 0) for steps in (*range(2, 31), 100)]


@promised("scheduler", any_case, may_decline_all=False)
def conserves(case: SchedulerCase) -> None:
    """``alpha^2 + sigma^2 = 1`` at every time, where it says ``variance_preserving``; both are at least 0."""
    scheduler = case.scheduler()
    t = torch.cat([scheduler.times().double(), torch.linspace(0, 1, 64, dtype=F64)])
    alpha, sigma = scheduler.alpha_sigma(t)
    require((alpha >= 0).all() and (sigma >= 0).all(), "alpha or sigma is negative at some time")
    require(alpha.isfinite().all() and sigma.isfinite().all(), "alpha or sigma is not finite at some time")
    if scheduler.variance_preserving:
        error = (alpha**2 + sigma**2 - 1).abs().max().item()
        require(error <= 1e-6, f"alpha^2 + sigma^2 is off by {error:.2g}")


@promised("scheduler", any_case)
def begins(case: SchedulerCase) -> None:
    """There is no noise at time 0: ``alpha(0) = 1`` and ``sigma(0) = 0``; shapes and dtypes are those of t."""
    scheduler = case.scheduler()
    for dtype in (torch.float32, F64):
        for shape in ((), (3,), (2, 3)):
            alpha, sigma = scheduler.alpha_sigma(torch.zeros(shape, dtype=dtype))
            require(alpha.shape == sigma.shape == shape, f"times {shape} have alpha {tuple(alpha.shape)}")
            require(alpha.dtype == sigma.dtype == dtype, f"times in {dtype} have alpha in {alpha.dtype}")
            clean = bool((alpha == 1).all() and (sigma == 0).all())
            require(clean, f"at time 0, alpha is {alpha.flatten()[0]:g} and sigma {sigma.flatten()[0]:g}")


@promised("scheduler", any_case)
def fades(case: SchedulerCase) -> None:
    """The ratio of signal to noise, ``alpha / sigma``, falls strictly along the training grid."""
    scheduler = case.scheduler()
    alpha, sigma = scheduler.alpha_sigma(scheduler.times().double()[:-1])
    require((sigma > 0).all(), "sigma is 0 at a training time")
    rises = (alpha / sigma).diff()  # times fall
    require((rises > 0).all(), f"it does not between times {int((rises <= 0).int().argmax())} and the next of the grid")


@promised("scheduler", any_case)
def grids(case: SchedulerCase) -> None:
    """``times`` fall strictly from 1 to 0, ``times(n)`` in at most n steps; training times lie in (0, 1]."""
    scheduler = case.scheduler()
    for steps in (None, *NUMBERS):
        times = scheduler.times(steps)
        require(times.dim() == 1 and len(times) >= 2, f"times({steps}) has shape {tuple(times.shape)}")
        ends = float(times[0]), float(times[-1])
        require(ends == (1.0, 0.0), f"times({steps}) go from {ends[0]:g} to {ends[1]:g}")
        require((times.diff() < 0).all(), f"times({steps}) don't fall")
        require(steps is None or len(times) <= steps + 1, f"times({steps}) take {len(times) - 1} steps")
    first, second = (scheduler.draw_times(200, torch.Generator().manual_seed(case.seed)) for _ in range(2))
    require(first.shape == (200,) and torch.equal(first, second), "draw_times does not follow its generator")
    require((first > 0).all() and (first <= 1).all(), "a training time lies outside (0, 1]")
    require(len(set(first.tolist())) > 1 or len(scheduler.times()) == 2, "all training times are the same")


@promised("scheduler", any_case, further=exact_case)
def recovers(case: SchedulerCase) -> None:
    """With the exact denoiser, steps lead from noise to the Gaussian of the data, by way of its noised forms;
    so does each step by itself.

    Up to what finite steps explain.
    """
    scheduler, generator = case.scheduler(), torch.Generator().manual_seed(case.seed + 1)
    if case.each_step:
        steps = list(pairwise(scheduler.times(case.steps).double()))
        for t, s in steps[:: math.ceil(len(steps) / MOST)] + steps[-2:]:
            fault = _fault_of_a_step(case, scheduler, t, s, generator)
            require(not fault, f"after one step, from time {t:.3g} to {s:.3g}, {fault}")
    else:
        fault = _fault_of_the_way(case, scheduler, generator)
        require(not fault, fault)


def _fault_of_the_way(case: SchedulerCase, scheduler: Scheduler, generator: torch.Generator) -> str:
    """What is wrong on the way along the training grid, where it is first seen."""
    denoise, carry = case.exact(scheduler), None
    times = scheduler.times().double()
    x = case.noised(scheduler, times[0])
    for t, s in pairwise(times):
        x, carry = scheduler.step(denoise, x, t, s, carry, generator)
        std, steps = float(case.moments(scheduler, s)[1]), len(times) - 1
        drawing = 5 * std / math.sqrt(case.points)
        if fault := _fault(case, scheduler, x, s, drawing + std / steps, drawing + 6 * std / steps):
            return f"at time {s:.3g} of {steps} steps, {fault}"
    return ""


def _fault_of_a_step(
    case: SchedulerCase, scheduler: Scheduler, t: Tensor, s: Tensor, generator: torch.Generator
) -> str:
    """What is wrong after one step from the noised form of time t.

    The step's own noise is what a line through (x_t, x_s) leaves; drawing explains so much as it and x_t have.
    """
    x_t = case.noised(scheduler, t)
    x_s, _ = scheduler.step(case.exact(scheduler), x_t.clone(), t, s, None, generator)
    (alpha_t, sigma_t), (alpha_s, sigma_s) = scheduler.alpha_sigma(t), scheduler.alpha_sigma(s)
    way = float((alpha_s - alpha_t).abs() + (sigma_s - sigma_t).abs())
    centred, x_s = x_t - x_t.mean(), x_s.double()
    noise = x_s - x_s.mean() - centred * (centred @ x_s) / (centred @ centred)
    mean_t, std_t = case.moments(scheduler, t)
    begun = float((x_t.mean() - mean_t).abs() + (x_t.std() - std_t).abs()) + 1e-9
    slack = STEPPING * way**2 + 5 * float(noise.std()) / math.sqrt(case.points) + 2 * begun
    return _fault(case, scheduler, x_s, s, slack, slack)


def _fault(case: SchedulerCase, scheduler: Scheduler, x: Tensor, s: Tensor, of_mean: float, of_std: float) -> str:
    """How far x is from ``alpha_s x_0 + sigma_s eps``, if farther than drawing and finite steps explain."""
    mean, std = case.moments(scheduler, s)
    for name, value, wanted, slack in (("mean", x.mean(), mean, of_mean), ("deviation", x.std(), std, of_std)):
        if not abs(float(value - wanted)) <= slack:
            return f"the {name} is {value:.3f}, not {wanted:.3f}; drawing and finite steps explain {slack:.2g}"
    return ""


@promised("scheduler", any_case, further=numbers_of_steps)
def arrives(case: SchedulerCase) -> None:
    """Where the clean estimate is always the same, sampling ends there, however few the steps."""
    scheduler, x = case.scheduler(), torch.randn(5, dtype=F64)
    for steps in (1, case.steps, None):
        end = case.sample(scheduler, lambda x_t, _: torch.full_like(x_t, case.mean), x, steps)
        gap = (end - case.mean).abs().max().item()
        require(gap <= 1e-6, f"it ends {gap:.2g} away from {case.mean:g}")


@promised("scheduler", any_case)
def remembers(case: SchedulerCase) -> None:
    """A solver's memory travels in ``carry``: two ways sampled in turns end as when sampled one by one."""
    scheduler, random = case.scheduler(), torch.Generator().manual_seed(case.seed)
    starts = [torch.randn(7, generator=random, dtype=F64) for _ in range(2)]
    denoise = case.exact(scheduler)
    apart = [case.sample(scheduler, denoise, x, case.steps, seed=k) for k, x in enumerate(starts)]
    ways, carries = list(starts), [None, None]
    generators = [torch.Generator().manual_seed(k) for k in range(2)]
    for t, s in pairwise(scheduler.times(case.steps).double()):
        for k in range(2):
            torch.default_generator.manual_seed(0)
            ways[k], carries[k] = scheduler.step(denoise, ways[k], t, s, carries[k], generators[k])
    same = all(torch.equal(a, b) for a, b in zip(apart, ways, strict=True))
    require(same, "they end elsewhere: something is kept on the scheduler between steps")


@promised("scheduler", any_case)
def repeats(case: SchedulerCase) -> None:
    """Randomness comes from the generator alone, and a step leaves its x_t, shape and dtype as they are.

    So does every step: the first, one in the middle, the last but one and the last; and without a generator, too.
    """
    scheduler = case.scheduler()
    steps = list(pairwise(scheduler.times()))
    chosen = {0, len(steps) // 2, max(len(steps) - 2, 0), len(steps) - 1}
    for t, s in (steps[place] for place in sorted(chosen)):
        for dtype in (torch.float32, F64):
            fault = _fault_of_ends(case, scheduler, t.to(dtype), s.to(dtype))
            require(not fault, f"from time {t:.3g} to {s:.3g}, {fault}")


def _fault_of_ends(case: SchedulerCase, scheduler: Scheduler, t: Tensor, s: Tensor) -> str:
    """What is wrong with one step, taken twice with equal generators, and once without."""
    x = torch.randn(2, 3, generator=torch.Generator().manual_seed(case.seed), dtype=t.dtype)
    before, ends = x.clone(), []
    for seed, given in ((1, True), (2, True), (3, False)):
        torch.default_generator.manual_seed(seed)
        generator = torch.Generator().manual_seed(5) if given else None
        ends.append(scheduler.step(case.exact(scheduler), x, t, s, None, generator)[0].clone())
    if not torch.equal(x, before):
        return "a step changed its x_t in place"
    if not torch.equal(*ends[:2]):
        return "equal generators lead to different ends"
    if ends[0].shape != x.shape:
        return f"{tuple(x.shape)} becomes {tuple(ends[0].shape)}"
    return "" if ends[0].dtype == t.dtype else f"{t.dtype} becomes {ends[0].dtype}"


@promised("scheduler", any_case)
def varies(case: SchedulerCase) -> None:
    """Where a step draws noise, every number of a batch gets its own."""
    scheduler, x = case.scheduler(), torch.ones(3, 4, dtype=F64)
    for t, s in list(pairwise(scheduler.times(case.steps).double()))[:-1][:3]:
        first, other = (
            scheduler.step(case.exact(scheduler), x.clone(), t, s, None, torch.Generator().manual_seed(seed))[0]
            for seed in (1, 2)
        )
        drawn = bool(((first - other).abs() > 1e-9).any())
        shared = len(set(first.flatten().tolist())) < first.numel()
        require(not (drawn and shared), f"from time {t:.3g} to {s:.3g}, two equal numbers of x_t get the same noise")


CHECKS = (conserves, begins, fades, grids, recovers, arrives, remembers, repeats, varies)
