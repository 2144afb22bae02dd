"""From a folder to a `Zoo` in memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from wsframework.errors import StoreError
from wsframework.spaces import Weights
from wsframework.stored_weights import StoredWeights
from wsframework.zoo import Snapshot, Zoo
from wsframework.zoo_store import along
from wsframework.zoos.damage import damage
from wsframework.zoos.folder import ZooFolder


def load_zoo(folder: Path | str, *, skip_damaged: bool = False) -> Zoo:
    """The zoo in ``folder``: one of a run, or one that was built, imported, merged or exported.

    Weights come in float32, as priors are trained; `ZooFolder.states` has every network as it was. Tasks come with
    their names and codes, and without data. Weights along training, where the zoo has them, stay on disk.

    Arguments:
        skip_damaged: leave out blocks that are damaged and networks with numbers that are not finite.

    Raises:
        StoreError: where the folder holds no network; where something is damaged, with all that is.
    """
    zoo = ZooFolder(folder)
    wrong = [] if skip_damaged else damage(zoo)
    if wrong:
        raise StoreError("\n".join([f"{zoo.folder}: the zoo is damaged; skip_damaged=True leaves out", *wrong]))
    names = ("task_index", "loss", *(along(epoch)[1] for epoch in zoo.epochs))
    parts = [(number, block.x, block.finite, [block.figures[name] for name in names]) for number, block in zoo.whole()]
    if not parts:
        raise StoreError(f"{zoo.folder}: holds no networks that can be read")
    numbers, x, finite, figures = zip(*parts, strict=True)
    kept = torch.cat(finite)
    index, loss, *losses = (torch.cat(values)[kept] for values in zip(*figures, strict=True))
    way = _trajectory(zoo, numbers, kept, losses)
    return Zoo(Weights(zoo.space, torch.cat(x)[kept].float()), index, zoo.tasks.tasks(), loss, way)


def _trajectory(zoo: ZooFolder, blocks: Sequence[int], kept: Tensor, losses: Sequence[Tensor]) -> list[Snapshot]:
    """The networks on their way: those of the ``blocks`` that are ``kept``, with their losses after each epoch."""
    paths, rows = [zoo.folder / zoo.shards[block].file for block in blocks], kept.nonzero().squeeze(-1)
    return [
        Snapshot(epoch, StoredWeights(zoo.space, paths, rows, name=along(epoch)[0]), loss)
        for epoch, loss in zip(zoo.epochs, losses, strict=True)
    ]
