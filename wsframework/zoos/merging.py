"""Several zoos of one space as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from wsframework.errors import RequestError, StoreError
from wsframework.tasks import TaskShape
from wsframework.zoo_store import ZooStore
from wsframework.zoos.damage import damage
from wsframework.zoos.entries import Entry, TaskList
from wsframework.zoos.folder import ZooFolder
from wsframework.zoos.writing import new_folder


def merge_zoos(folders: Sequence[Path | str], out: Path | str) -> Path:
    """A zoo in the new folder ``out``, of all networks of ``folders`` in their order; returns the folder.

    Networks keep their ids. Tasks with one name and one code are one task; tasks without a code, where they were drawn
    by the same family from the same seed, or were not drawn at all.

    Raises:
        RequestError: where they are not of one space, or of unlike tasks, or networks share an id.
        StoreError: where one of them is damaged, or ``out`` can't be written.
    """
    zoos = [ZooFolder(folder) for folder in folders]
    if wrong := [sentence for zoo in zoos for sentence in damage(zoo)]:
        raise StoreError("\n".join(["what is damaged can't be merged", *wrong]))
    if mistakes := [*_differences(zoos), *_twice(zoos)]:
        raise RequestError("; ".join(mistakes))
    entries = list({entry.identity: entry for zoo in zoos for entry in zoo.tasks.entries}.values())
    with new_folder(Path(out)) as folder:
        store = ZooStore(folder)
        store.begin(zoos[0].space, {"merged": [zoo.recipe for zoo in zoos]}, {"layout": zoos[0].layout.to_json()})
        objectives = {zoo.tasks.objective for zoo in zoos}
        objective = objectives.pop() if len(objectives) == 1 else ""
        TaskList(_shape(zoos), objective, tuple(entries)).save(folder)
        _append(store, zoos, entries)
    return Path(out)


def _append(store: ZooStore, zoos: Sequence[ZooFolder], entries: Sequence[Entry]) -> None:
    """All blocks, one after the other."""
    place, number = {entry.identity: i for i, entry in enumerate(entries)}, 0
    for zoo in zoos:
        index = torch.tensor([place[entry.identity] for entry in zoo.tasks.entries])
        for block, shard in zoo.shards.items():
            held = zoo.block(block)
            of = index[held.figures["task_index"]]
            store.append(number, held.x, held.figures["loss"], of, shard.seconds, ids=held.ids, further=held.further())
            number += 1


def _differences(zoos: Sequence[ZooFolder]) -> Iterator[str]:
    """What keeps the zoos from being of one kind."""
    first = zoos[0]
    for zoo in zoos[1:]:
        if zoo.space != first.space:
            yield f"{zoo.folder} is of another weight space than {first.folder}{_first_difference(first, zoo)}"
        elif zoo.layout != first.layout:
            unlike = [k for k in {**zoo.layout.shapes, **first.layout.shapes} if _about(zoo, k) != _about(first, k)]
            yield f"{zoo.folder} and {first.folder} keep {unlike[0]!r} in other shapes or dtypes"
        elif zoo.epochs != first.epochs:
            kept = [" and ".join(map(str, z.epochs)) or "none" for z in (zoo, first)]
            yield f"{zoo.folder} keeps its networks after other epochs ({kept[0]}) than {first.folder} ({kept[1]})"
        elif zoo.tasks.shape.code != first.tasks.shape.code:
            have = zoo.tasks.shape.code, first.tasks.shape.code
            yield f"tasks of {zoo.folder} have codes of {have[0]} numbers, those of {first.folder} of {have[1]}"
    for side in ("inputs", "outputs"):
        if len(known := {getattr(zoo.tasks.shape, side) for zoo in zoos} - {()}) > 1:
            yield f"the tasks have {side} of unlike shapes: {' and '.join(map(str, sorted(known)))}"


def _about(zoo: ZooFolder, key: str) -> tuple[object, object]:
    return zoo.layout.shapes.get(key), zoo.layout.dtypes.get(key)


def _first_difference(first: ZooFolder, other: ZooFolder) -> str:
    """Where two spaces differ first, as a clause."""
    a, b = str(first.space).splitlines(), str(other.space).splitlines()
    pairs = [(x, y) for x, y in zip(a, b, strict=False) if x != y]
    return (
        f": {pairs[0][1]!r}, where that has {pairs[0][0]!r}" if pairs else f": {len(b)} lines, where that has {len(a)}"
    )


def _twice(zoos: Sequence[ZooFolder]) -> Iterator[str]:
    """Networks that several zoos have."""
    ids = Counter(name for zoo in zoos for _, block in zoo.whole() for name in block.ids)
    twice = [name for name, count in ids.items() if count > 1]
    if twice:
        shown = ", ".join(map(repr, twice[:5])) + (", ..." if len(twice) > 5 else "")
        yield f"{len(twice)} ids are of more than one network ({shown}); a network has an id of its own"


def _shape(zoos: Sequence[ZooFolder]) -> TaskShape:
    """That of the tasks, of which some zoos may know more than others."""
    shapes = [zoo.tasks.shape for zoo in zoos]
    inputs, outputs = max(shape.inputs for shape in shapes), max(shape.outputs for shape in shapes)
    return TaskShape(inputs, outputs, shapes[0].code)
