"""From a folder to a `Zoo` in memory."""

from __future__ import annotations

from pathlib import Path

import torch

from wsframework.errors import StoreError
from wsframework.spaces import Weights
from wsframework.zoo import Zoo
from wsframework.zoos.damage import damage
from wsframework.zoos.folder import ZooFolder


def load_zoo(folder: Path | str, *, skip_damaged: bool = False) -> Zoo:
    """The zoo in ``folder``: one of a run, or one that was built, imported, merged or exported.

    Weights come in float32, as priors are trained; `ZooFolder.states` has every network as it was. Tasks come with
    their names and codes, and without data.

    Arguments:
        skip_damaged: leave out blocks that are damaged and networks with numbers that are not finite.

    Raises:
        StoreError: where the folder holds no network; where something is damaged, with all that is.
    """
    zoo = ZooFolder(folder)
    wrong = [] if skip_damaged else damage(zoo)
    if wrong:
        raise StoreError("\n".join([f"{zoo.folder}: the zoo is damaged; skip_damaged=True leaves out", *wrong]))
    blocks = [block for _, block in zoo.whole()]
    if not blocks:
        raise StoreError(f"{zoo.folder}: holds no networks that can be read")
    kept = torch.cat([block.finite for block in blocks])
    x = torch.cat([block.x for block in blocks])[kept].float()
    index, loss = (torch.cat([block.figures[name] for block in blocks])[kept] for name in ("task_index", "loss"))
    return Zoo(Weights(zoo.space, x), index, zoo.tasks.tasks(), loss)
