"""The same numbers as the schedulers of the diffusers library, on the same inputs, and with the same noise drawn."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor
from wsf_schedulers.discrete import Ddim, Ddpm
from wsf_schedulers.dpm_solver import DpmSolver
from wsf_schedulers.edm import Edm
from wsf_schedulers.flow import Flow

from wsframework.parts.interfaces import Scheduler

SCHEDULES = {"linear": "linear", "cosine": "squaredcos_cap_v2", "sigmoid": "sigmoid"}
LEVELS, BETAS = 100, {"beta_start": 1e-3, "beta_end": 0.2}
NOISE = torch.randn(3, 50, generator=torch.Generator().manual_seed(0))
CLOSE = {"atol": 2e-5, "rtol": 1e-4}
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of numpy, to them
by_schedule = pytest.mark.parametrize("schedule", SCHEDULES)
by_shared = pytest.mark.parametrize("schedule", ["linear", "cosine"])  # the sigmoid is their DDPM's alone
by_steps = pytest.mark.parametrize("steps", [1, 2, 10, 20])


@pytest.fixture(scope="module")
def diffusers() -> Any:
    return pytest.importorskip("diffusers", reason="diffusers is not installed; the extra dev has it")


def guess(x_t: Tensor) -> Tensor:
    """A clean estimate that depends on where it is asked, and not linearly."""
    return torch.tanh(1.3 * x_t) + 0.2


def ours(scheduler: Scheduler, times: Tensor, seed: int = 1) -> Tensor:
    x, carry, generator = NOISE, None, torch.Generator().manual_seed(seed)
    for t, s in pairwise(times):
        x, carry = scheduler.step(lambda x, _: guess(x), x, t, s, carry, generator)
    return x


def theirs(scheduler: Any, steps: int, **given: Any) -> Tensor:
    """Their loop: what the model says at each of their times is the clean estimate itself."""
    scheduler.set_timesteps(steps)
    x = NOISE
    for time in scheduler.timesteps:
        x = scheduler.step(guess(x), time, x, **given).prev_sample
    return x


def discrete(library: Any, name: str, schedule: str, **options: Any) -> Any:
    known = {"num_train_timesteps": LEVELS, "beta_schedule": SCHEDULES[schedule], "prediction_type": "sample", **BETAS}
    return getattr(library, name)(**known, timestep_spacing="trailing", **options)


@by_schedule
def test_the_share_of_signal_is_theirs(diffusers: Any, schedule: Any) -> None:
    found = Ddpm(steps=LEVELS, schedule=schedule, **BETAS).abar[1:].float()
    torch.testing.assert_close(found, discrete(diffusers, "DDPMScheduler", schedule).alphas_cumprod, **CLOSE)


@by_schedule
def test_ancestral_steps_are_theirs(diffusers: Any, schedule: Any) -> None:
    scheduler = Ddpm(steps=LEVELS, schedule=schedule, **BETAS)
    other = discrete(diffusers, "DDPMScheduler", schedule, clip_sample=False)
    their = theirs(other, LEVELS, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(ours(scheduler, scheduler.times()), their, **CLOSE)


@by_shared
@by_steps
def test_implicit_steps_are_theirs(diffusers: Any, schedule: Any, steps: int) -> None:
    scheduler = Ddim(steps=LEVELS, schedule=schedule, **BETAS)
    other = discrete(diffusers, "DDIMScheduler", schedule, clip_sample=False)
    torch.testing.assert_close(ours(scheduler, scheduler.times(steps)), theirs(other, steps), **CLOSE)


def test_noisy_implicit_steps_are_theirs(diffusers: Any) -> None:
    scheduler = Ddim(steps=LEVELS, eta=0.7)
    other = discrete(diffusers, "DDIMScheduler", "cosine", clip_sample=False)
    their = theirs(other, 20, eta=0.7, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(ours(scheduler, scheduler.times(20)), their, **CLOSE)


@by_shared
@pytest.mark.parametrize("steps", [2, 3, 10, 20, 33])
def test_steps_of_dpm_solver_are_theirs(diffusers: Any, schedule: Any, steps: int) -> None:
    scheduler = DpmSolver(steps=LEVELS, schedule=schedule, **BETAS)
    other = discrete(diffusers, "DPMSolverMultistepScheduler", schedule, solver_order=2, final_sigmas_type="zero")
    torch.testing.assert_close(ours(scheduler, scheduler.times(steps)), theirs(other, steps), **CLOSE)


@pytest.mark.parametrize("solver", ["euler", "heun"])
@by_steps
def test_flows_are_theirs(diffusers: Any, solver: Any, steps: int) -> None:
    """Their model says the velocity. Each time of Heun's but the first comes twice in their lists."""
    other = getattr(diffusers, f"FlowMatch{solver.title()}DiscreteScheduler")()
    other.set_timesteps(steps)
    x, at = NOISE, other.timesteps / 1000
    for time, t in zip(other.timesteps, at, strict=True):
        x = other.step((x - guess(x)) / t, time, x).prev_sample
    times = torch.cat([at.unique().flip(0), torch.zeros(1)])
    torch.testing.assert_close(ours(Flow(solver=solver), times), x, **CLOSE)


def unscaled(scheduler: Edm, model: Callable[[Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    """The clean estimate of what their sample is: ours over alpha."""
    return lambda x_t, t: model(x_t / scheduler.alpha_sigma(t)[0])


@by_steps
def test_the_design_of_edm_is_theirs(diffusers: Any, steps: int) -> None:
    """Grid, preconditioning and Euler's steps: their model says what ours does, the velocity, of the scaled input."""
    scheduler = Edm(solver="euler")
    other = diffusers.EDMEulerScheduler(
        sigma_min=0.002, sigma_max=80.0, sigma_data=1.0, prediction_type="v_prediction"
    )  # fmt: skip
    other.set_timesteps(steps)
    times = scheduler.times(steps).double()
    torch.testing.assert_close(scheduler.noise(times).float(), other.sigmas, atol=1e-6, rtol=1e-5)
    alpha, sigma = scheduler.alpha_sigma(times)
    x, y = NOISE.double(), NOISE / alpha[0].float()
    for k, (t, s) in enumerate(pairwise(times)):
        y_in = other.scale_model_input(y, other.timesteps[k])
        torch.testing.assert_close(y_in, x.float(), **CLOSE)
        estimate = alpha[k] * x - sigma[k] * torch.sin(x)
        torch.testing.assert_close(
            other.precondition_outputs(y, torch.sin(y_in), other.sigmas[k]), estimate.float(), **CLOSE
        )
        y = other.step(torch.sin(y_in), other.timesteps[k], y).prev_sample
        x, _ = scheduler.step(lambda *_, known=estimate: known, x, t, s, None, None)
    torch.testing.assert_close(x.float(), y, **CLOSE)


def test_their_time_is_linear_in_ours(diffusers: Any) -> None:
    scheduler, other = Edm(), diffusers.EDMEulerScheduler()
    t = torch.linspace(0.5, 1, 20, dtype=torch.float64)  # from a noise of 0.4 on
    theirs = other.precondition_noise(scheduler.noise(t))
    assert (theirs.diff() / t.diff()).std() < 2e-3 * scheduler.end / 4


@pytest.mark.parametrize("steps", [2, 5, 20])
def test_heun_in_noise_is_theirs(diffusers: Any, steps: int) -> None:
    other = diffusers.HeunDiscreteScheduler(
        num_train_timesteps=LEVELS, **BETAS, prediction_type="sample", use_karras_sigmas=True
    )  # fmt: skip
    other.set_timesteps(steps)
    scheduler = Edm()
    levels = other.sigmas.double().unique().flip(0)
    times = scheduler.time(levels)
    alpha = scheduler.alpha_sigma(times)[0]
    y = NOISE * levels[0].float()
    x, estimate = y.double() * alpha[0], unscaled(scheduler, guess)
    for time in other.timesteps:
        y = other.step(guess(y), time, y).prev_sample
    for t, s in pairwise(times):
        x, _ = scheduler.step(estimate, x, t, s, None, None)
    torch.testing.assert_close(x.float(), y, **CLOSE)
