"""The training stage: the prior's four parts fitted to a zoo, with a checkpoint every few hundred steps."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from wsframework.alignment import augment
from wsframework.config.sections import TrainSection
from wsframework.curriculum import Curriculum
from wsframework.errors import StoreError
from wsframework.events import Observer, Progress, silent
from wsframework.fitting import Fitting
from wsframework.parts.registry import Registry
from wsframework.pipeline.stage import Checkpoint
from wsframework.prior import Prior
from wsframework.prior_config import Design, Origin
from wsframework.randomness import generator
from wsframework.ranks import ALONE, Ranks
from wsframework.spaces import Weights
from wsframework.tasks import Task, some_inputs
from wsframework.zoo import Zoo

EVERY = 500
TOLD = 20
FITTED = 2**28
"""Bytes of networks, evenly spread over the zoo, that encoders are fitted to: all of a zoo of 256 MB."""
ASKED = 64
"""Inputs of seen tasks, at most, of which encoders may ask what networks say."""
MOVED = 64
"""With augmentation, the networks of a small zoo are moved several times each, to at least so many."""


def train_prior(
    design: Design,
    registry: Registry,
    zoo: Zoo,
    train: TrainSection,
    seed: int,
    *,
    device: str = "cpu",
    name: str = "prior",
    checkpoint: Checkpoint | None = None,
    observer: Observer = silent,
    ranks: Ranks = ALONE,
) -> Prior:
    """Fit encoder and descriptors to the zoo, then train conditioner and denoiser together.

    Torch's own generators, from which layers draw, are seeded for the time of it, and then as they were.

    Arguments:
        name: of the stage, for the observer and for the randomness.
        checkpoint: where the state is kept now and then; training goes on from what it holds.
        ranks: who trains; each of them calls this with equal arguments, and the first one keeps the state.
    """
    cuda = [torch.cuda.current_device()] if torch.device(device).type == "cuda" else []
    with torch.random.fork_rng(devices=cuda):
        torch.manual_seed(generator(seed, name, "parameters").initial_seed())
        prior = Prior(design, zoo.tasks[0].shape, registry, Origin.of(zoo)).to(device)
        raw = prior.raw_features(zoo.tasks)
        prior.fit_features(raw)
        fit_encoder(prior, shown(zoo.weights, train, generator(seed, name, "fitted")), zoo.tasks)
        section = _in_steps(train, len(zoo))
        random = generator(seed, name, "training")
        curriculum = Curriculum(prior, zoo, prior.standardise(raw), section, random, ranks)
        carry_out(Fitting(prior, curriculum, section, random, ranks), name, checkpoint, observer)
    return prior


def fit_encoder(prior: Prior, x: Tensor, tasks: Sequence[Task]) -> None:
    """Fit the encoder to networks x (networks, size); it may ask what they say of inputs, where tasks have data."""
    x, inputs = x.to(prior.device), some_inputs(tasks, ASKED).to(prior.device)
    if not len(inputs):
        prior.encoder.fit(x, prior.space)
        return

    def answers(networks: Tensor) -> Tensor:
        own = inputs.expand(len(networks), *inputs.shape)
        return prior.architecture.apply(prior.shape, prior.space.unflatten(networks), own)

    prior.encoder.fit_to(x, prior.space, answers)


def shown(weights: Weights, train: TrainSection, random: torch.Generator) -> Tensor:
    """What an encoder is fitted to: networks evenly spread over the zoo, (networks, size).

    Where training moves networks by random symmetries, these are moved too: `MOVED` of them, at least.
    """
    x = weights.spread(FITTED)
    if not train.augment:
        return x
    return augment(Weights(weights.space, x.repeat(math.ceil(MOVED / len(x)), 1)), random).x


def _in_steps(train: TrainSection, networks: int) -> TrainSection:
    """The section with ``steps`` worked out; ``epochs`` stay where it is they that were asked for."""
    if train.steps:
        return replace(train, epochs=0)
    return replace(train, steps=train.epochs * math.ceil(networks / train.batch))


def carry_out(fitting: Fitting, name: str, checkpoint: Checkpoint | None, observer: Observer) -> None:
    """Take every step that is left of what ``checkpoint`` holds, or of all of them."""
    start, before, keeps = time.perf_counter(), 0.0, fitting.ranks.rank == 0
    kept = checkpoint.load() if checkpoint else None
    if checkpoint is not None and kept is not None:
        try:
            fitting.resume(kept[0])
        except (KeyError, RuntimeError):
            raise StoreError(
                f"{checkpoint.path}: this checkpoint was written by other versions of the run's parts; "
                "remove the file to train from the start"
            ) from None
        before = float(kept[1]["seconds"])
    for lesson in fitting.steps():
        if lesson.step % TOLD == 0:
            note = f"loss {lesson.loss:.3g}"
            observer(Progress(name, lesson.step, fitting.train.steps, note=note))
        if checkpoint and keeps and lesson.step % EVERY == 0 and lesson.step < fitting.train.steps:
            checkpoint.save(fitting.state(), {"seconds": before + time.perf_counter() - start})
