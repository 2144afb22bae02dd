"""The training loop of a prior: the denoising loss of the paper, and the terms of what networks answer."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from wsframework.allocation import keep_freed_memory
from wsframework.config.sections import TrainSection
from wsframework.curriculum import Curriculum
from wsframework.mixture import Members, Mixture
from wsframework.prior import Prior
from wsframework.ranks import ALONE, Ranks


class Fitting:
    """The training of ``prior``, in place; `steps` runs it, `state` and `resume` carry it over a restart.

    Arguments:
        prior: one, or the members of a mixed zoo.
        curriculum: what its steps learn from.
        train: the options; its ``steps`` are taken as given, and ``epochs`` say that they go in passes.
        generator: the curriculum's: the source of all randomness, but for that of layers such as dropout, which draw
            from torch's own generators: whoever trains has seeded these.
        ranks: the curriculum's: the processes that do this training, with equal arguments; they end with equal weights.
    """

    def __init__(
        self,
        prior: Prior | Members,
        curriculum: Curriculum | Mixture,
        train: TrainSection,
        generator: torch.Generator,
        ranks: Ranks = ALONE,
    ) -> None:
        self.prior, self.train, self.generator, self.ranks = prior, train, generator, ranks
        self.averaged = copy.deepcopy(prior).eval() if train.ema else prior
        self.optimizer = torch.optim.Adam(prior.parameters(), lr=train.lr, fused=True)
        self.curriculum = curriculum
        self.step = 0

    def steps(self) -> Iterator[Lesson]:
        """Take every step that is left; yields after each, and leaves the averaged weights in the prior at the end."""
        keep_freed_memory()
        prior, train = self.prior, self.train
        prior.train()
        while self.step < train.steps:
            for group in self.optimizer.param_groups:
                group["lr"] = train.lr * _rate(self.step, train)
            losses = denoise_loss, output_loss, matching_loss = self.curriculum.losses()
            loss = train.denoise_weight * denoise_loss + train.output_weight * output_loss
            loss = loss + train.matching_weight * matching_loss
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            self.ranks.add([*losses, *(p.grad for p in prior.parameters() if p.grad is not None)])
            if train.clip:
                nn.utils.clip_grad_norm_(prior.parameters(), train.clip)
            self.optimizer.step()
            if train.ema:
                _average(self.averaged, prior, min(train.ema, (1 + self.step) / (10 + self.step)))
            self.step += 1
            yield Lesson(self.step, *(part.item() for part in losses))
        prior.load_state_dict(self.averaged.state_dict())
        prior.eval()

    def state(self) -> dict[str, Tensor]:
        """Everything that a continuation needs, as tensors."""
        tensors = {f"model.{k}": v for k, v in self.prior.state_dict().items()}
        tensors |= {f"averaged.{k}": v for k, v in self.averaged.state_dict().items()}
        for i, kept in self.optimizer.state_dict()["state"].items():
            tensors |= {f"adam.{i}.{k}": v for k, v in kept.items()}
        tensors |= {f"torch.{device}": state for device, state in _torch_states(self.prior.device).items()}
        return {k: v.clone() for k, v in tensors.items()} | {
            "generator": self.generator.get_state(),
            "left": self.curriculum.left.clone(),
            "step": torch.tensor(self.step),
        }

    def resume(self, state: dict[str, Tensor]) -> None:
        """Go on from a `state`; torch's own generators, from which some layers (dropout) draw, do so too."""
        self.prior.load_state_dict(_under("model.", state))
        self.averaged.load_state_dict(_under("averaged.", state))
        moments: dict[int, dict[str, Tensor]] = {}
        for key, value in _under("adam.", state).items():
            place, name = key.split(".")
            moments.setdefault(int(place), {})[name] = value
        self.optimizer.load_state_dict(self.optimizer.state_dict() | {"state": moments})
        self.generator.set_state(state["generator"])
        self.curriculum.left = state["left"]
        torch.set_rng_state(state["torch.cpu"])
        if self.prior.device.type == "cuda":
            torch.cuda.set_rng_state(state["torch.cuda"], self.prior.device)
        self.step = int(state["step"])


@dataclass(frozen=True)
class Lesson:
    """What a step of training came to: the three losses are zero where their term is off."""

    step: int
    denoise_loss: float
    output_loss: float
    matching_loss: float

    @property
    def loss(self) -> float:
        """Their sum, without their weights."""
        return self.denoise_loss + self.output_loss + self.matching_loss


def _torch_states(device: torch.device) -> dict[str, Tensor]:
    """The states of torch's own generators: that of the CPU, and that of the device where it is another."""
    states = {"cpu": torch.get_rng_state()}
    return states | {"cuda": torch.cuda.get_rng_state(device)} if device.type == "cuda" else states


def _under(prefix: str, state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}


def _rate(step: int, train: TrainSection) -> float:
    """The learning rate's factor at ``step``: along half a cosine from 1 to 0 where it decays."""
    return 0.5 * (1 + math.cos(math.pi * step / train.steps)) if train.decay else 1.0


@torch.no_grad()
def _average(averaged: nn.Module, model: nn.Module, decay: float) -> None:
    """Move the parameters of ``averaged`` towards those of ``model``; buffers, such as statistics, are copied."""
    for mean, value in zip(averaged.parameters(), model.parameters(), strict=True):
        mean.lerp_(value, 1 - decay)
    for kept, trained in zip(averaged.buffers(), model.buffers(), strict=True):
        kept.copy_(trained)
