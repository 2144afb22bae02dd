"""Schedulers: the process, its limits, and sampling with the exact denoiser of a known Gaussian."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from wsf_schedulers.discrete import Ddim, Ddpm
from wsf_schedulers.dpm_solver import DpmSolver
from wsf_schedulers.edm import Edm
from wsf_schedulers.flow import Flow

from wsframework.errors import PartError
from wsframework.parts.interfaces import Scheduler

PROCESSES = st.builds(
    Ddim, steps=st.integers(1, 1000), schedule=st.sampled_from(["linear", "cosine", "sigmoid"]), eta=st.floats(0, 1)
)
MEAN, STD = 1.5, 0.4
F64 = torch.float64


def exact(scheduler: Scheduler, mean: float = MEAN, std: float = STD):
    """E[x_0 | x_t] where x_0 ~ N(mean, std^2): what a perfect denoiser answers."""

    def denoise(x_t: Tensor, t: Tensor) -> Tensor:
        alpha, sigma = scheduler.alpha_sigma(t)
        gain = alpha * std**2 / (alpha**2 * std**2 + sigma**2)
        return mean + gain * (x_t - alpha * mean)

    return denoise


def sample(scheduler: Scheduler, x: Tensor, steps: int | None = None, seed: int = 0) -> Tensor:
    times, carry, random = scheduler.times(steps).double(), None, torch.Generator().manual_seed(seed)
    for t, s in pairwise(times):
        x, carry = scheduler.step(exact(scheduler), x, t, s, carry, random)
    return x


@settings(max_examples=50)
@given(scheduler=PROCESSES)
def test_the_process_keeps_variance_and_loses_signal(scheduler):
    times = scheduler.times().double()
    alpha, sigma = scheduler.alpha_sigma(times)
    assert torch.allclose(alpha**2 + sigma**2, torch.ones_like(alpha), atol=1e-12)
    assert (alpha[-1], sigma[-1]) == (1, 0)
    ratio = (alpha / sigma)[:-1]
    assert (ratio.diff() > 0).all()  # times fall, so the signal's share rises
    assert (alpha >= 0).all()


@settings(max_examples=50)
@given(scheduler=PROCESSES, steps=st.integers(1, 1200))
def test_times_fall_from_one_to_zero_on_the_training_grid(scheduler, steps):
    times = scheduler.times(steps)
    assert len(times) == min(steps, scheduler.steps) + 1
    assert (times[0], times[-1]) == (1, 0)
    assert (times.diff() < 0).all()
    levels = times.double() * scheduler.steps
    assert torch.allclose(levels, levels.round(), atol=1e-4)


@pytest.mark.parametrize("schedule", ["linear", "cosine", "sigmoid"])
@pytest.mark.parametrize("steps", [10, 50, 1000])
def test_little_signal_is_left_at_the_end(schedule, steps):
    alpha, _ = Ddpm(steps=steps, schedule=schedule).alpha_sigma(torch.ones(()))
    assert alpha < 0.05


def test_the_linear_schedule_is_that_of_the_paper_at_a_thousand_steps():
    scheduler = Ddpm(steps=1000, schedule="linear")
    alpha, _ = scheduler.alpha_sigma(torch.arange(1001, dtype=F64) / 1000)
    beta = 1 - (alpha[1:] / alpha[:-1]) ** 2
    assert torch.allclose(beta, torch.linspace(1e-4, 0.02, 1000, dtype=F64), rtol=1e-9)


def test_the_cosine_schedule_follows_its_formula_until_the_betas_are_clipped():
    alpha, _ = Ddpm(steps=100).alpha_sigma(torch.arange(101, dtype=F64) / 100)
    f = torch.cos((torch.arange(101, dtype=F64) / 100 + 0.008) / 1.008 * math.pi / 2) ** 2
    assert torch.allclose((alpha**2)[:-1], (f / f[0])[:-1], rtol=1e-9)


@settings(max_examples=40)
@given(
    steps=st.integers(2, 200),
    schedule=st.sampled_from(["linear", "cosine"]),
    place=st.floats(0, 1),
    x_t=st.floats(-3, 3),
    x_0=st.floats(-3, 3),
)
def test_an_ancestral_step_draws_from_the_posterior(steps, schedule, place, x_t, x_0):
    """q(x_s | x_t, x_0) of Ho et al. 2020, equations 6 and 7, for one step of the process."""
    scheduler = Ddpm(steps=steps, schedule=schedule)
    k = min(1 + int(place * steps), steps)
    t, s = (torch.tensor(level / steps, dtype=F64) for level in (k, k - 1))
    (alpha_t, sigma_t), (alpha_s, sigma_s) = scheduler.alpha_sigma(t), scheduler.alpha_sigma(s)
    beta = 1 - (alpha_t / alpha_s) ** 2
    mean = (alpha_s * beta * x_0 + (1 - beta).sqrt() * sigma_s**2 * x_t) / sigma_t**2
    variance = sigma_s**2 / sigma_t**2 * beta
    x = torch.full((20_000,), x_t, dtype=F64)
    x_s, _ = scheduler.step(lambda x, _: torch.full_like(x, x_0), x, t, s, None, torch.Generator().manual_seed(0))
    error = 5 / math.sqrt(len(x))
    deviation = variance.sqrt().item()
    assert x_s.mean().item() == pytest.approx(mean.item(), abs=error * deviation + 1e-9)
    assert x_s.std().item() == pytest.approx(deviation, rel=error, abs=1e-9)


@settings(max_examples=20)
@given(scheduler=PROCESSES, x_0=st.floats(-3, 3), seed=st.integers(0, 1000))
def test_the_last_step_ends_at_the_clean_estimate(scheduler, x_0, seed):
    x = torch.randn(5, generator=torch.Generator().manual_seed(seed), dtype=F64)
    t, s = torch.tensor(1 / scheduler.steps, dtype=F64), torch.zeros((), dtype=F64)
    x_s, _ = scheduler.step(lambda x, _: torch.full_like(x, x_0), x, t, s, None, torch.Generator())
    assert torch.allclose(x_s, torch.tensor(x_0, dtype=F64))


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_deterministic_sampling_maps_noise_to_the_gaussian(schedule):
    """With the exact denoiser the map is affine, and nears mean + std * noise as the steps grow finer."""
    noise = torch.linspace(-3, 3, 7, dtype=F64)
    errors = []
    for steps in (20, 100, 500):
        scheduler = Ddim(steps=steps, schedule=schedule)
        x = sample(scheduler, noise)
        assert x.diff().max().item() == pytest.approx(x.diff().min().item(), rel=1e-9)
        errors.append((x - (MEAN + STD * noise)).abs().max().item())
    assert errors[2] < errors[1] < errors[0]
    assert errors[2] < 0.05


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
@pytest.mark.parametrize("eta", [0.3, 1.0])
def test_random_sampling_reaches_the_gaussian(schedule, eta):
    scheduler = Ddim(steps=400, schedule=schedule, eta=eta)
    x = sample(scheduler, torch.randn(20_000, generator=torch.Generator().manual_seed(1), dtype=F64))
    error = 5 * STD / math.sqrt(len(x))
    assert x.mean().item() == pytest.approx(MEAN, abs=error + 0.01)
    assert x.std().item() == pytest.approx(STD, abs=error + 0.01)


@settings(max_examples=20)
@given(steps=st.integers(2, 60), schedule=st.sampled_from(["linear", "cosine"]), seed=st.integers(0, 1000))
def test_a_step_of_ddpm_is_drawn_from_the_posterior_of_its_paper(steps, schedule, seed):
    """Equations 6 and 7 of Ho et al. 2020, between neighbouring levels."""
    scheduler, level = Ddpm(steps=steps, schedule=schedule), 1 + seed % (steps - 1)
    abar, before = scheduler.abar[level + 1], scheduler.abar[level]
    beta = 1 - abar / before
    x_t, x_0 = torch.randn(2, 4, generator=torch.Generator().manual_seed(seed), dtype=F64)
    mean = before.sqrt() * beta / (1 - abar) * x_0 + (1 - beta).sqrt() * (1 - before) / (1 - abar) * x_t
    variance = (1 - before) / (1 - abar) * beta
    noise = torch.randn(4, generator=torch.Generator().manual_seed(seed + 1), dtype=F64)
    t, s = (torch.tensor(k / steps, dtype=F64) for k in (level + 1, level))
    x_s, _ = scheduler.step(lambda x, at: x_0, x_t, t, s, None, torch.Generator().manual_seed(seed + 1))
    assert torch.allclose(x_s, mean + variance.sqrt() * noise)


def test_a_generator_decides_what_is_drawn():
    noise = torch.zeros(4, dtype=F64)
    assert torch.equal(sample(Ddpm(), noise, seed=3), sample(Ddpm(), noise, seed=3))
    assert not torch.equal(sample(Ddpm(), noise, seed=3), sample(Ddpm(), noise, seed=4))
    assert torch.equal(sample(Ddim(), noise, seed=3), sample(Ddim(), noise, seed=4))


@settings(max_examples=20)
@given(scheduler=PROCESSES, seed=st.integers(0, 1000))
def test_training_times_are_levels_above_zero(scheduler, seed):
    times = scheduler.draw_times(200, torch.Generator().manual_seed(seed))
    assert times.shape == (200,)
    assert times.min() > 0
    assert torch.isin(times, scheduler.times()[:-1]).all()


@pytest.mark.parametrize("part", [Ddpm, Ddim])
def test_a_process_whose_noise_falls_is_refused(part):
    with pytest.raises(PartError, match=f"{part.name}: beta_start = 0.5 is larger than beta_end = 0.1"):
        part(beta_start=0.5, beta_end=0.1)


FIRST = {"ddim": Ddim(steps=20_000), "flow": Flow(), "edm": Edm(solver="euler")}
SECOND = {"dpm_solver": DpmSolver(steps=20_000), "flow-heun": Flow(solver="heun"), "edm-heun": Edm()}


def error_of(scheduler: Scheduler, times: Tensor) -> float:
    """How far steps end from where the flow of the exact denoiser leads, which keeps quantiles."""
    z, x, carry = torch.linspace(-3, 3, 7, dtype=F64), [], None
    for t in times[[0, -1]]:
        alpha, sigma = scheduler.alpha_sigma(t)
        x.append(alpha * MEAN + z * (alpha**2 * STD**2 + sigma**2).sqrt())
    x_t, wanted = x
    for t, s in pairwise(times):
        x_t, carry = scheduler.step(exact(scheduler), x_t, t, s, carry, None)
    return float((x_t - wanted).abs().max())


def whole(scheduler: Scheduler, steps: int) -> float:
    return error_of(scheduler, scheduler.times(steps).double())


@pytest.mark.parametrize("name", [*FIRST, *SECOND])
def test_a_solver_converges_with_its_order(name: str) -> None:
    """Twice as many steps leave half of the error, or a quarter, away from the ends of time."""
    order, scheduler = 1 if name in FIRST else 2, {**FIRST, **SECOND}[name]
    coarse, fine = (error_of(scheduler, torch.linspace(0.9, 0.2, n + 1, dtype=F64)) for n in (40, 80))
    assert math.log2(coarse / fine) == pytest.approx(order, abs=0.2)


@pytest.mark.parametrize("name", [*FIRST, *SECOND])
def test_from_noise_to_data_it_converges_too(name: str) -> None:
    scheduler = {**FIRST, **SECOND}[name]
    assert whole(scheduler, 160) < 0.3 * whole(scheduler, 40) < 0.05


@pytest.mark.parametrize("second", SECOND)
def test_the_second_order_is_worth_more_than_its_cost(second: str) -> None:
    """At equal calls of the denoiser, of which Heun's method takes two a step."""
    first = {"dpm_solver": "ddim", "flow-heun": "flow", "edm-heun": "edm"}[second]
    calls = 1 if second == "dpm_solver" else 2
    assert whole(SECOND[second], 80 // calls) < whole(FIRST[first], 80) / 2


@settings(max_examples=30)
@given(
    name=st.sampled_from([*SECOND, "flow", "edm"]), t=st.floats(0.2, 0.9), s=st.floats(0.1, 0.9), x_0=st.floats(-3, 3)
)
def test_with_one_estimate_a_step_can_be_taken_back(name: str, t: float, s: float, x_0: float) -> None:
    scheduler = {**FIRST, **SECOND}[name]
    x, here, there = torch.linspace(-3, 3, 5, dtype=F64), *torch.tensor([t, s], dtype=F64)
    known = lambda x, _: torch.full_like(x, x_0)  # noqa: E731
    gone, _ = scheduler.step(known, x, here, there, None, None)
    back, _ = scheduler.step(known, gone, there, here, None, None)
    assert torch.allclose(back, x, atol=1e-8)


@pytest.mark.parametrize("name", ["flow-heun", "edm-heun"])
def test_a_step_there_and_back_errs_by_the_third_power_of_its_length(name: str) -> None:
    scheduler, x, errors = SECOND[name], torch.linspace(-2, 2, 5, dtype=F64), []
    for length in (0.02, 0.01):
        t, s = torch.tensor([0.5, 0.5 - length], dtype=F64)
        gone, _ = scheduler.step(exact(scheduler), x, t, s, None, None)
        back, _ = scheduler.step(exact(scheduler), gone, s, t, None, None)
        errors.append(float((back - x).abs().max()))
    assert math.log2(errors[0] / errors[1]) > 2.6


@settings(max_examples=30)
@given(t=st.floats(0, 1), x_0=st.floats(-3, 3), eps=st.floats(-3, 3))
def test_a_flow_is_a_straight_line_along_its_velocity(t: float, x_0: float, eps: float) -> None:
    at, flow = torch.tensor(t, dtype=F64), Flow()
    (alpha, sigma), (a, b) = flow.alpha_sigma(at), flow.velocity(at)
    x_t, v = alpha * x_0 + sigma * eps, a * x_0 + b * eps
    assert float(x_t) == pytest.approx(x_0 + t * float(v))
    assert float(x_t - t * v) == pytest.approx(x_0, abs=1e-9)


def test_the_noise_of_edm_is_log_normal_and_its_grid_ends_where_it_is_told() -> None:
    scheduler = Edm(p_mean=-1.0, p_std=0.8, sigma_max=40.0)
    drawn = scheduler.noise(scheduler.draw_times(20_000, torch.Generator().manual_seed(0)).double()).log()
    assert float(drawn.mean()) == pytest.approx(-1.0, abs=0.03)
    assert float(drawn.std()) == pytest.approx(0.8, abs=0.03)
    noise = scheduler.noise(scheduler.times(9).double())
    assert noise[[0, -2, -1]].tolist() == pytest.approx([40.0, 0.002, 0.0], rel=1e-4)
    roots = noise[:-1] ** (1 / 7)
    assert roots.diff().std() < 1e-5


@settings(max_examples=30)
@given(output=st.floats(-3, 3), v=st.floats(-3, 3), level=st.floats(-5, 4))
def test_the_loss_of_v_has_the_weight_of_edm(output: float, v: float, level: float) -> None:
    """``lambda = (1 + n^2) / n^2`` on the clean estimate, for data of deviation 1."""
    scheduler, noise = Edm(), torch.tensor(level, dtype=F64).exp()
    _, sigma = scheduler.alpha_sigma(scheduler.time(noise))
    weight = (1 + noise**2) / noise**2
    assert float(weight * (sigma * (output - v)) ** 2) == pytest.approx((output - v) ** 2)


def test_a_range_of_noise_that_is_none_is_refused() -> None:
    with pytest.raises(PartError, match="edm: sigma_min = 3 should be smaller than sigma_max = 2"):
        Edm(sigma_min=3.0, sigma_max=2.0)
