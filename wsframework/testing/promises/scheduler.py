"""What every scheduler promises."""

from __future__ import annotations

import math
from dataclasses import dataclass
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


@dataclass(frozen=True, eq=False)
class SchedulerCase:
    """A scheduler, a Gaussian that it should lead back to, and how many steps it takes."""

    subject: Subject
    mean: float
    std: float
    steps: int
    seed: int

    def __str__(self) -> str:
        return f"N({self.mean:.3g}, {self.std:.3g}^2), {self.steps} sampling steps, seed {self.seed}"

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

    def noised(self, scheduler: Scheduler, count: int = POINTS) -> Tensor:
        """Draws of x_1 = alpha(1) x_0 + sigma(1) eps, (count,)."""
        x_0, eps = torch.randn(2, count, generator=torch.Generator().manual_seed(self.seed), dtype=F64)
        alpha, sigma = scheduler.alpha_sigma(torch.ones((), dtype=F64))
        noised: Tensor = alpha * (self.mean + self.std * x_0) + sigma * eps
        return noised

    def sample(self, scheduler: Scheduler, denoise: Denoise, x: Tensor, steps: int | None, seed: int = 0) -> Tensor:
        """The whole way from x at time 1 to time 0."""
        carry, generator, x = None, torch.Generator().manual_seed(seed), x.clone()
        for t, s in pairwise(scheduler.times(steps).to(x)):
            torch.manual_seed(0)
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
    for steps in (None, 1, case.steps):
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


@promised("scheduler", any_case)
def recovers(case: SchedulerCase) -> None:
    """With the exact denoiser, steps lead from noise to the Gaussian of the data, by way of its noised forms."""
    scheduler = case.scheduler()
    denoise, x, carry = case.exact(scheduler), case.noised(scheduler), None
    generator = torch.Generator().manual_seed(case.seed + 1)
    times = scheduler.times().double()
    for t, s in pairwise(times):
        torch.manual_seed(0)
        x, carry = scheduler.step(denoise, x, t, s, carry, generator)
        fault = _fault(case, scheduler, x, float(s), len(times) - 1)
        require(not fault, f"at time {s:.3g}, {fault}")


def _fault(case: SchedulerCase, scheduler: Scheduler, x: Tensor, s: float, steps: int) -> str:
    """How far x is from ``alpha_s x_0 + sigma_s eps``, if farther than drawing and finite steps explain."""
    alpha, sigma = scheduler.alpha_sigma(torch.tensor(s, dtype=F64))
    mean, std = alpha * case.mean, ((alpha * case.std) ** 2 + sigma**2).sqrt()
    for name, found, wanted, stepping in (("mean", x.mean(), mean, 1), ("deviation", x.std(), std, 6)):
        slack = float(std) * (5 / math.sqrt(POINTS) + stepping / steps)
        if not abs(float(found - wanted)) <= slack:
            return f"the {name} is {found:.3f}, not {wanted:.3f}; drawing and {steps} steps explain {slack:.2g}"
    return ""


@promised("scheduler", any_case)
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
            torch.manual_seed(0)
            ways[k], carries[k] = scheduler.step(denoise, ways[k], t, s, carries[k], generators[k])
    same = all(torch.equal(a, b) for a, b in zip(apart, ways, strict=True))
    require(same, "they end elsewhere: something is kept on the scheduler between steps")


@promised("scheduler", any_case)
def repeats(case: SchedulerCase) -> None:
    """Randomness comes from the generator alone, and a step leaves its x_t, shape and dtype as they are."""
    scheduler, denoise = case.scheduler(), case.exact(case.scheduler())
    t, s = scheduler.times(case.steps)[:2].double()
    for dtype in (torch.float32, F64):
        x = torch.randn(2, 3, generator=torch.Generator().manual_seed(case.seed), dtype=dtype)
        before, ends = x.clone(), []
        for seed in (1, 2):
            torch.manual_seed(seed)
            generator = torch.Generator().manual_seed(5)
            ends.append(scheduler.step(denoise, x, t.to(dtype), s.to(dtype), None, generator)[0].clone())
        require(torch.equal(x, before), "a step changed its x_t in place")
        require(torch.equal(*ends), "equal generators lead to different ends")
        require(ends[0].shape == x.shape, f"{tuple(x.shape)} becomes {tuple(ends[0].shape)}")
        require(ends[0].dtype == dtype, f"{dtype} becomes {ends[0].dtype}")


CHECKS = (conserves, begins, fades, grids, recovers, arrives, remembers, repeats)
