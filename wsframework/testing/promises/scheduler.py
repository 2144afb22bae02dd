"""What every scheduler promises."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

from wsframework.parts.interfaces import Scheduler
from wsframework.testing.check import promised, require
from wsframework.testing.equivariance import relative_difference
from wsframework.testing.promises.noised import (
    F64,
    SchedulerCase,
    any_case,
    exact_case,
    fault_of_a_step,
    fault_of_the_way,
    numbers_of_steps,
)

MOST = 60
"""How many steps of a grid are judged by themselves."""
NUMBERS = (*range(1, 31), 100, 1000)
"""Numbers of steps for which grids are tried."""
DRAWN = 10_000
"""Training times drawn: so many that a log-normal law reaches what samplers pass through."""


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
def tells(case: SchedulerCase) -> None:
    """What is predicted as v, ``a x_0 + b eps``, tells x_0: ``velocity`` gives a and b with ``alpha b - sigma a = 1``.

    In the shapes and dtypes of alpha and sigma.
    """
    scheduler = case.scheduler()
    t = torch.cat([scheduler.times().double(), torch.linspace(0, 1, 64, dtype=F64)])
    (a, b), (alpha, sigma) = scheduler.velocity(t), scheduler.alpha_sigma(t)
    require(a.shape == b.shape == alpha.shape, f"{tuple(t.shape)} times have a {tuple(a.shape)}, b {tuple(b.shape)}")
    require(a.dtype == b.dtype == alpha.dtype, f"a is in {a.dtype}, b in {b.dtype}, and alpha in {alpha.dtype}")
    error = (alpha * b - sigma * a - 1).abs().max().item()
    require(error <= 1e-6, f"alpha b - sigma a is off by {error:.2g}")


@promised("scheduler", any_case)
def fades(case: SchedulerCase) -> None:
    """The ratio of signal to noise, ``alpha / sigma``, falls strictly along the training grid and the sampler's."""
    scheduler = case.scheduler()
    for steps in (None, *NUMBERS):
        grid = set(scheduler.times(steps).tolist())  # that it has no time twice, `grids` judges
        times = torch.tensor(sorted(grid - {0.0}), dtype=F64)
        alpha, sigma = scheduler.alpha_sigma(times)
        require((sigma > 0).all(), f"sigma is 0 at a time of times({steps})")
        stays = ((alpha / sigma).diff() >= 0).nonzero().flatten().tolist()
        ends = [f"{float(time):.3g}" for place in stays[:1] for time in times[place : place + 2]]
        require(not stays, f"it does not fall from time {' to '.join(ends)} of times({steps})")


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
    first, second = (scheduler.draw_times(DRAWN, torch.Generator().manual_seed(case.seed)) for _ in range(2))
    require(first.shape == (DRAWN,) and torch.equal(first, second), "draw_times does not follow its generator")
    require((first > 0).all() and (first <= 1).all(), "a training time lies outside (0, 1]")
    early, late = scheduler.times()[:-1].quantile(torch.tensor([0.25, 0.75])).tolist()
    require(float(first.min()) <= early, f"all training times are later than {early:.3g}, a quarter of the grid")
    require(float(first.max()) >= late, f"all training times are earlier than {late:.3g}, a quarter of the grid")
    require(len(set(first.tolist())) > 1 or len(scheduler.times()) == 2, "all training times are the same")


@promised("scheduler", any_case, further=exact_case)
def recovers(case: SchedulerCase) -> None:
    """With the exact denoiser, steps lead from noise to the Gaussian of the data, by way of its noised forms;
    so does each step by itself.

    Up to what finite steps explain.
    """
    scheduler, seed = case.scheduler(), case.seed + 1
    if case.each_step:
        steps = [(t, s) for t, s in pairwise(scheduler.times(case.steps).double()) if t > s]  # others, `grids` judges
        for t, s in steps[:: math.ceil(len(steps) / MOST)] + steps[-2:]:
            fault = fault_of_a_step(case, scheduler, t, s, seed)
            require(not fault, f"after one step, from time {t:.3g} to {s:.3g}, {fault}")
    else:
        fault = fault_of_the_way(case, scheduler, torch.Generator().manual_seed(seed))
        require(not fault, fault)


@promised("scheduler", any_case, further=numbers_of_steps)
def arrives(case: SchedulerCase) -> None:
    """Where the clean estimate is always the same, sampling ends there, however few the steps, in float64 to 1e-9."""
    scheduler, x = case.scheduler(), torch.randn(5, dtype=F64)
    for steps in (1, case.steps, None):
        end = case.sample(scheduler, lambda x_t, _: torch.full_like(x_t, case.mean), x, steps)
        gap = (end - case.mean).abs().max().item()
        require(gap <= 1e-9 * max(1, abs(case.mean)), f"it ends {gap:.2g} away from {case.mean:g}")


@promised("scheduler", any_case)
def remembers(case: SchedulerCase) -> None:
    """A solver's memory travels in ``carry``: two ways sampled in turns end as when sampled one by one."""
    scheduler, random = case.scheduler(), torch.Generator().manual_seed(case.seed)
    starts = [torch.randn(7, generator=random, dtype=F64) for _ in range(2)]
    apart = [_ends(case, scheduler, [x])[0] for x in starts]
    together = _ends(case, scheduler, starts, copied=True)
    same = all(torch.equal(a, b) for a, b in zip(apart, together, strict=True))
    require(same, "they end elsewhere: something is kept between steps, on the scheduler or on x_t")


def _ends(case: SchedulerCase, scheduler: Scheduler, starts: Sequence[Tensor], copied: bool = False) -> list[Tensor]:
    """Where ways from ``starts`` end that take their steps in turns, all with one generator, anew at every step.

    ``copied``: each step is given a copy of where the last one led.
    """
    denoise, generator = case.exact(scheduler), torch.Generator()
    ways, carries = list(starts), [None for _ in starts]
    for number, (t, s) in enumerate(pairwise(scheduler.times(case.steps).double())):
        for k in range(len(starts)):
            torch.default_generator.manual_seed(number)
            x = ways[k].clone() if copied else ways[k]
            ways[k], carries[k] = scheduler.step(denoise, x, t, s, carries[k], generator.manual_seed(number))
    return ways


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
    """What is wrong with one step, taken twice with equal generators, once with another one, and twice without."""
    x = torch.randn(2, 3, generator=torch.Generator().manual_seed(case.seed), dtype=t.dtype)
    before, ends = x.clone(), []
    for seed, given in ((1, 5), (2, 5), (2, 6), (3, None), (4, None)):
        torch.default_generator.manual_seed(seed)
        generator = torch.Generator().manual_seed(given) if given else None
        ends.append(scheduler.step(case.exact(scheduler), x, t, s, None, generator)[0].clone())
    if not torch.equal(x, before):
        return "a step changed its x_t in place"
    if not torch.equal(*ends[:2]):
        return "equal generators lead to different ends"
    if not torch.equal(*ends[1:3]) and torch.equal(*ends[3:]):
        return "without a generator its noise is always the same, and not that of torch's global one"
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


@promised("scheduler", any_case)
def separates(case: SchedulerCase) -> None:
    """The members of a batch don't see one another."""
    scheduler, x = case.scheduler(), torch.randn(4, 5, generator=torch.Generator().manual_seed(case.seed), dtype=F64)
    others = torch.cat([x[:1], 1 - 2 * x[1:]])
    end, again = (case.sample(scheduler, case.exact(scheduler), start, case.steps)[0] for start in (x, others))
    require(relative_difference(again, end) <= 1e-9, "with others in its batch, the first member ends elsewhere")


CHECKS = (conserves, begins, tells, fades, grids, recovers, arrives, remembers, repeats, varies, separates)
