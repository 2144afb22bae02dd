"""A run by several processes, as torchrun starts them: the first does everything, the others join where it trains."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from torch import distributed

from wsframework.config.resolving import resolve
from wsframework.config.sections import Config
from wsframework.config.writing import to_tables
from wsframework.device import usable
from wsframework.engines.work import Work
from wsframework.errors import RequestError, WsfError
from wsframework.events import Observer, silent
from wsframework.parts.registry import Registry
from wsframework.pipeline.identity import Identity
from wsframework.pipeline.stage import Checkpoint
from wsframework.pipeline.train import train_prior
from wsframework.pipeline.zoo import load_zoo
from wsframework.prior import Prior
from wsframework.ranks import Ranks
from wsframework.zoo import Zoo
from wsframework.zoo_store import ZooStore

PATIENCE = timedelta(days=30)
"""How long a process waits for the others: the first one builds zoos meanwhile."""
OVER = ""
"""What the first process says at its end."""


@contextmanager
def together(registry: Registry, device: str) -> Iterator[bool]:
    """Whether this process is the only one or the first; any other has joined in all trainings when it gets its answer.

    Raises:
        RequestError: where there are fewer CUDA devices than processes on this machine.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield True
        return
    device = _own_device(device)
    distributed.init_process_group("cpu:gloo,cuda:nccl" if device == "cuda" else "gloo", timeout=PATIENCE)
    ranks = Ranks.here()
    try:
        if ranks.rank:
            _attend(ranks, registry, device)
        with _dismissing(ranks):
            yield ranks.rank == 0
    finally:
        distributed.destroy_process_group()


@contextmanager
def _dismissing(ranks: Ranks) -> Iterator[None]:
    """After the first process's work, or a mistake that it tells, the others need not wait any more."""
    try:
        yield
    except WsfError:
        ranks.said(OVER)
        raise
    if ranks.rank == 0:
        ranks.said(OVER)


def _own_device(device: str) -> str:
    """The kind of device; of several GPUs each process on a machine takes its own."""
    device, local = usable(device), int(os.environ.get("LOCAL_RANK", "0"))
    if device == "cuda":
        if local >= torch.cuda.device_count():
            raise RequestError(
                f"process {local} on this machine finds {torch.cuda.device_count()} CUDA devices; "
                "start one process for each (torchrun --nproc-per-node), or use --device cpu"
            )
        torch.cuda.set_device(local)
    return device


def lead(
    config: Config, registry: Registry, zoo: Zoo, store: ZooStore, device: str, checkpoint: Checkpoint, told: Observer
) -> Prior:
    """The prior of a run of one seed, trained by every process that there is.

    Arguments:
        zoo: as ``store`` holds it.
    """
    ranks = Ranks.here()
    if ranks.count > 1:
        where = {"zoo": str(store.folder.absolute()), "checkpoint": str(checkpoint.path.absolute())}
        ranks.said(json.dumps({**where, "made_from": checkpoint.fingerprint, "config": to_tables(config)}))
    return _trained(config, registry, zoo, device, checkpoint, ranks, told)


def _attend(ranks: Ranks, registry: Registry, device: str) -> None:
    """Join every training that the first process begins."""
    while (order := ranks.said()) != OVER:
        _join(ranks, registry, device, json.loads(order))


def _join(ranks: Ranks, registry: Registry, device: str, order: Mapping[str, Any]) -> None:
    config, mistakes = resolve(order["config"], registry)
    if config is None:
        raise RequestError(f"process {ranks.rank} reads the config of process 0 otherwise: {'; '.join(mistakes)}")
    work = Work(registry, config.tasks, config.network, config.zoo, config.seed)
    zoo = load_zoo(ZooStore(Path(order["zoo"])), work.seen, config.zoo)
    checkpoint = Checkpoint(Path(order["checkpoint"]), order["made_from"])
    _trained(config, registry, zoo, device, checkpoint, ranks, silent)


def _trained(
    config: Config, registry: Registry, zoo: Zoo, device: str, checkpoint: Checkpoint, ranks: Ranks, told: Observer
) -> Prior:
    design, seed = Identity(config, registry, device, shares_zoo=False).design, config.seed
    return train_prior(
        design, registry, zoo, config.train, seed, device=device, checkpoint=checkpoint, observer=told, ranks=ranks
    )
