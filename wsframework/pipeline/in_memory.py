"""A zoo and a prior from Python, in memory: the same stages as in a run, without its folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch

from wsframework.config.building import Named, as_config, build
from wsframework.config.filling import Filling, keys_of
from wsframework.config.resolving import misplaced
from wsframework.config.sections import TrainSection, ZooSection
from wsframework.device import check_precision
from wsframework.engines.work import train_block
from wsframework.errors import ConfigError, RequestError, SpaceError
from wsframework.parts.entrypoints import load_registry
from wsframework.parts.interfaces import Architecture
from wsframework.parts.registry import Registry
from wsframework.pipeline.train import train_prior
from wsframework.prior import Prior
from wsframework.prior_config import Design
from wsframework.randomness import generator
from wsframework.spaces import Weights
from wsframework.stated import architecture_of, stated
from wsframework.tasks import Task
from wsframework.zoo import Snapshot, Zoo


def train_zoo(
    network: Named,
    tasks: Sequence[Task],
    *,
    size: int = 0,
    epochs: int = 20,
    lr: float = 0.01,
    batch: int = 32,
    checkpoints: Sequence[int] = (),
    seed: int = 0,
    registry: Registry | None = None,
) -> Zoo:
    """A zoo of ``size`` networks, network i trained for task ``i mod len(tasks)``.

    Arguments:
        network: the architecture.
        tasks: seen tasks, whose support data have equal shapes.
        size: how many networks (0: one a task).
        epochs, lr, batch: of their training with Adam.
        checkpoints: epochs after which the networks are kept too, in the zoo's trajectory (0: as they begin).
        registry: where parts are looked up (default: every installed plugin).

    Raises:
        RequestError: where there are no tasks.
        PartError: where there is no such architecture, or an option does not fit it.
        ConfigError: where a number is out of its bounds.
    """
    if not tasks:
        raise RequestError("a zoo is trained for at least one task; none was given")
    registry = registry or load_registry()
    architecture = cast(Architecture, build(registry, "architecture", as_config(network)))
    keys = {"size": size or len(tasks), "epochs": epochs, "lr": lr, "batch": batch, "checkpoints": tuple(checkpoints)}
    section = ZooSection(**_filled(registry, ZooSection, "zoo", keys))
    if mistakes := list(misplaced(section)):
        raise ConfigError("[zoo]", mistakes)
    index = torch.arange(section.size) % len(tasks)
    starts = list(range(section.block, section.size, section.block))
    blocks = [
        train_block(architecture, [tasks[i] for i in part], section, generator(seed, "zoo", number))
        for number, part in enumerate(index.tensor_split(starts))
    ]
    *way, end = (_joined(states) for states in zip(*blocks, strict=True))
    return Zoo(end.weights, index, tasks, end.loss, way)


def _joined(states: Sequence[Snapshot]) -> Snapshot:
    """Those of several blocks at the same epoch, as one."""
    x = torch.cat([state.weights.x for state in states])
    return Snapshot(states[0].epoch, Weights(states[0].weights.space, x), torch.cat([state.loss for state in states]))


def fit_prior(
    zoo: Zoo,
    *,
    network: Named | None = None,
    encoder: Named = "orbit",
    conditioner: Named = "moments",
    scheduler: Named = "ddpm",
    denoiser: Named = "deepsets",
    steps: int = 2000,
    seed: int = 0,
    device: str = "cpu",
    registry: Registry | None = None,
    **train: Any,
) -> Prior:
    """A prior trained on ``zoo``; its parts are named as in a config, with the same defaults.

    Arguments:
        network: the architecture that the zoo's networks have. By default ``"mlp"``, and of a zoo whose tasks have no
            data, as of an imported one, its weight space is all that has to be known.
        steps: of training.
        device: where to compute, ``"cpu"`` or ``"cuda"``.
        registry: where parts are looked up (default: every installed plugin).
        train: other keys of a config's ``[train]``, such as ``lr=1e-4`` or ``predict="epsilon"``.

    Raises:
        SpaceError: where ``network`` is not what the zoo's networks are.
        RequestError: where tasks have no data, and the output term is to be trained on them; where the device does not
            compute in the precision that was asked for.
        PartError: where there is no such part, or parts or options do not fit each other.
        ConfigError: where a key of ``train`` is unknown, or a value does not fit it.
    """
    registry = registry or load_registry()
    section = TrainSection(**_filled(registry, TrainSection, "train", {"steps": steps, **train}))
    alone = not len(zoo.tasks[0].support)
    for term in ("output_weight", "matching_weight"):
        if alone and getattr(section, term):
            raise RequestError(f"{term} trains on the data of the tasks, and this zoo's tasks have none")
    check_precision(device, section.precision)
    known = "mlp" if network is None else network
    design = Design(
        network=stated(zoo.weights.space) if alone and network is None else as_config(known),
        encoder=as_config(encoder),
        conditioner=as_config(conditioner),
        scheduler=as_config(scheduler),
        denoiser=as_config(denoiser),
        predict=section.predict,
    )
    architecture = architecture_of(registry, design.network)
    if architecture.space(zoo.tasks[0].shape) != zoo.weights.space:
        raise SpaceError(f"the zoo's networks are not what network = {known!r} builds; name the one they were")
    return train_prior(design, registry, zoo, section, seed, device=device)


def _filled(registry: Registry, section: type, name: str, table: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a config's section ``[name]``, checked and with their defaults."""
    filling = Filling(registry)
    values = filling.keys(keys_of(section), table, name)
    if filling.mistakes:
        raise ConfigError(f"[{name}]", filling.mistakes)
    return values
