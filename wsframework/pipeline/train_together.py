"""The training stage of a mixed zoo: one denoiser for all its networks, and an encoder for each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from wsframework.config.sections import TrainSection
from wsframework.curriculum import Curriculum
from wsframework.events import Observer, silent
from wsframework.fitting import Fitting
from wsframework.mixture import Members, Mixture
from wsframework.parts.registry import Registry
from wsframework.pipeline.stage import Checkpoint
from wsframework.pipeline.train import FITTED, carry_out, fit_encoder, shown
from wsframework.prior import FEATURES, Prior
from wsframework.prior_config import Design, Origin, Place
from wsframework.randomness import generator
from wsframework.spaces import WeightSpace
from wsframework.tasks import TaskShape
from wsframework.zoo import Zoo


@dataclass(frozen=True, eq=False)
class Trainee:
    """A member of a mixed zoo whose prior is to be trained.

    Attributes:
        design: of its prior; the scheduler and the denoiser are those of every member.
        zoo: its networks.
        place: among the members.
        described_as: the name of the member whose conditioner it has: the first with the same tasks.
    """

    design: Design
    zoo: Zoo
    place: Place
    described_as: str


def train_together(
    trainees: Mapping[str, Trainee],
    registry: Registry,
    train: TrainSection,
    seed: int,
    *,
    device: str = "cpu",
    checkpoint: Checkpoint | None = None,
    observer: Observer = silent,
) -> dict[str, Prior]:
    """Fit each member's encoder and descriptors to its zoo, then train conditioners and the denoiser together.

    With one member, that is what `wsframework.pipeline.train.train_prior` does, number by number.

    Arguments:
        trainees: the members by name.
        checkpoint: where the state is kept now and then; training goes on from what it holds.
    """
    cuda = [torch.cuda.current_device()] if torch.device(device).type == "cuda" else []
    with torch.random.fork_rng(devices=cuda):
        torch.manual_seed(generator(seed, "prior", "parameters").initial_seed())
        priors = _joined(trainees, registry)
        members = Members(list(priors.values())).to(device)
        section, random = _in_steps(train, trainees), generator(seed, "prior", "training")
        fitted = generator(seed, "prior", "fitted")
        curricula = [_curriculum(priors[name], t.zoo, section, random, fitted) for name, t in trainees.items()]
        mixture = Mixture(curricula, [len(trainee.zoo) for trainee in trainees.values()], random)
        carry_out(Fitting(members, mixture, section, random), "prior", checkpoint, observer)
    return priors


def _joined(trainees: Mapping[str, Trainee], registry: Registry) -> dict[str, Prior]:
    """Untrained priors that share one denoiser, and a conditioner where the tasks are the same."""
    priors: dict[str, Prior] = {}
    for name, t in trainees.items():
        priors[name] = Prior(t.design, t.zoo.tasks[0].shape, registry, Origin.of(t.zoo), t.place)
        priors[name].denoiser = next(iter(priors.values())).denoiser
        priors[name].conditioner = priors[t.described_as].conditioner
    return priors


def _curriculum(
    prior: Prior, zoo: Zoo, train: TrainSection, random: torch.Generator, fitted: torch.Generator
) -> Curriculum:
    """What a member learns from, with its descriptors and its encoder fitted."""
    raw = prior.raw_features(zoo.tasks)
    prior.fit_features(raw)
    fit_encoder(prior, shown(zoo.weights, train, fitted), zoo.tasks)
    return Curriculum(prior, zoo, prior.standardise(raw), train, random)


def _in_steps(train: TrainSection, trainees: Mapping[str, Trainee]) -> TrainSection:
    """As of one zoo: with ``epochs``, so many steps as all members' passes have."""
    if train.steps:
        return replace(train, epochs=0)
    steps = sum(math.ceil(len(trainee.zoo) / train.batch) for trainee in trainees.values())
    return replace(train, steps=train.epochs * steps)


def transferred(
    design: Design, shape: TaskShape, registry: Registry, place: Place, kin: Sequence[Zoo], told: Prior
) -> Prior:
    """The prior of a network that is not in the zoo.

    Its encoder is fitted to its kin, one network of each side by side, so that what it pools by role is pooled over
    them all; conditioner, descriptor statistics and denoiser are those of ``told``.

    Arguments:
        place: of the network; its ``fitted`` is the space of networks of all ``kin`` side by side.
        kin: the zoos of the members that are of its kind.
        told: the prior of a member with the same tasks.
    """
    with torch.random.fork_rng(devices=[]):
        prior = Prior(design, shape, registry, told.origin, place)
    prior.encoder.fit(_side_by_side(kin), WeightSpace.parse(place.fitted))
    prior.conditioner.load_state_dict(told.conditioner.state_dict())
    prior.denoiser.load_state_dict(told.denoiser.state_dict())
    for name in FEATURES:
        setattr(prior, name, getattr(told, name).cpu().clone())
    return prior.eval()


def _side_by_side(zoos: Sequence[Zoo]) -> Tensor:
    """As many networks as each zoo has, evenly spread over it, joined one by one: (networks, sum of sizes)."""
    sizes = [zoo.weights.space.size for zoo in zoos]
    count = max(1, min(FITTED // (4 * sum(sizes)), *map(len, zoos)))
    return torch.cat([zoo.weights.spread(4 * size * count) for zoo, size in zip(zoos, sizes, strict=True)], 1)
