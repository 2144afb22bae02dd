"""The zoo stage: train a block of networks at a time, keep each as soon as it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from torch import Tensor

from wsframework.config.sections import EngineSection, ZooSection
from wsframework.engines.local import local
from wsframework.engines.work import Trained, Work
from wsframework.spaces import Weights
from wsframework.tasks import Task
from wsframework.zoo import Snapshot, Zoo
from wsframework.zoo_store import ZooStore, along

IN_MEMORY = 2**29
"""Bytes of weights; a zoo that has more of them is read from its files, network by network."""


def build_zoo(store: ZooStore, work: Work, engine: EngineSection) -> Iterator[int]:
    """Train the blocks that ``store`` lacks; yields the number of networks that it holds, at first and after each.

    Network i is trained for task ``i mod len(tasks)``. A block's numbers depend on the seed, the block's number
    and the recipe only: the last block is filled up with networks that are trained and then dropped.
    """
    counts, lacking = _counts(work.zoo), missing(store, work.zoo)
    held = sum(counts) - sum(counts[block] for block in lacking)
    yield held
    for block, (x, loss, index, seconds, further) in _engine(engine)(work, lacking):
        count = counts[block]
        kept = {name: value[:count] for name, value in further.items()}
        store.append(block, x[:count], loss[:count], index[:count], seconds, further=kept)
        held += count
        yield held


def _engine(section: EngineSection) -> Callable[[Work, Sequence[int]], Iterator[tuple[int, Trained]]]:
    if section.use == "ray":
        from wsframework.engines.ray import on_ray

        return lambda work, blocks: on_ray(work, blocks, section.workers, section.address) if blocks else iter(())
    return lambda work, blocks: local(work, blocks, section.workers)


def missing(store: ZooStore, section: ZooSection) -> list[int]:
    """The blocks that ``store`` does not hold, or holds too few networks of: the last one of a smaller zoo."""
    held, listed = store.blocks(), store.listed()
    return [b for b, count in enumerate(_counts(section)) if b not in held or listed[b].count < count]


def _counts(section: ZooSection) -> list[int]:
    """How many networks of each block belong to the zoo."""
    return [min(section.block, section.size - start) for start in range(0, section.size, section.block)]


def load_zoo(store: ZooStore, tasks: Sequence[Task], section: ZooSection) -> Zoo:
    """The first ``section.size`` networks that ``store`` holds, with their tasks.

    A large zoo stays on disk, and so does every zoo's trajectory.
    """
    blocks, space = range(len(_counts(section))), store.space()
    names = ("loss", "task_index", *(along(epoch)[1] for epoch in section.checkpoints))
    labels = {name: value[: section.size] for name, value in store.load(blocks, names).items()}
    if 4 * space.size * section.size > IN_MEMORY:
        weights: Weights = store.stored(blocks, section.size)
    else:
        weights = Weights(space, store.load(blocks, ("x",))["x"][: section.size])
    return Zoo(weights, labels["task_index"], tasks, labels["loss"], _trajectory(store, section, labels))


def _trajectory(store: ZooStore, section: ZooSection, labels: Mapping[str, Tensor]) -> list[Snapshot]:
    """The networks on their way, of whose losses (networks,) the ``labels`` are."""
    if not section.checkpoints:
        return []
    stored = store.stored(range(len(_counts(section))), section.size)
    named = [(epoch, *along(epoch)) for epoch in section.checkpoints]
    return [Snapshot(epoch, stored.called(x), labels[loss]) for epoch, x, loss in named]
