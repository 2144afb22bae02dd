"""A zoo as a folder that model hubs take, or as the state dicts that it is made of."""

from __future__ import annotations

import csv
import io
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from wsframework.errors import RequestError, StoreError
from wsframework.store import save_json, save_tensors, write_atomic
from wsframework.zoos.card import card
from wsframework.zoos.damage import damage
from wsframework.zoos.entries import TaskList
from wsframework.zoos.folder import ZooFolder
from wsframework.zoos.states import SAFE
from wsframework.zoos.writing import new_folder


def export_zoo(folder: Path | str, out: Path | str) -> Path:
    """The zoo as the new folder ``out``, in the layout of model hubs; returns it.

    It holds the shards as they are, ``config.json`` (space, recipe, layout), ``index.json``, ``tasks.json`` and a
    card, and is read as any other zoo.

    Raises:
        StoreError: where the zoo is damaged, or ``out`` can't be written.
    """
    zoo = _whole(folder)
    with new_folder(Path(out)) as written:
        for shard in zoo.shards.values():
            shutil.copyfile(zoo.folder / shard.file, written / shard.file)
        count = sum(shard.count for shard in zoo.shards.values())
        save_json(written / "config.json", {**zoo.about, "networks": count, "content": zoo.content})
        save_json(written / "index.json", [asdict(shard) for shard in zoo.shards.values()])
        zoo.tasks.save(written)
        write_atomic(written / "README.md", card(zoo))
    return Path(out)


def export_states(folder: Path | str, out: Path | str) -> Path:
    """Every network as a state dict of its own in the new folder ``out``, bit by bit as it came in; returns it.

    Beside the files ``ID.safetensors`` lies ``tasks.csv``: what `import_zoo` takes.

    Raises:
        StoreError: where the zoo is damaged, or ``out`` can't be written.
        RequestError: where networks were kept along their training, for which state dicts have no place.
    """
    zoo = _whole(folder)
    if zoo.epochs:
        raise RequestError(
            f"{zoo.folder} keeps networks after epochs {', '.join(map(str, zoo.epochs))} of their training too, and a "
            "state dict is one network at one moment; without --state-dicts the export keeps them all"
        )
    with new_folder(Path(out)) as written:
        for name, state in zoo.states():
            save_tensors(written / f"{name}{SAFE}", state)
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows(_rows(zoo))
        write_atomic(written / "tasks.csv", text.getvalue())
    return Path(out)


def _rows(zoo: ZooFolder) -> Iterator[list[object]]:
    """The header of tasks.csv, then a row for each network; figures that are known of all of them have a column."""
    figures = {name: zoo.stacked(name).tolist() for name in ("loss", "metric") if zoo.stacked(name).isfinite().all()}
    entries, names = zoo.tasks.entries, _names(zoo.tasks)
    yield ["file", "id", "task", *figures, *(f"code_{i}" for i in range(zoo.tasks.shape.code))]
    ids = [name for _, block in zoo.whole() for name in block.ids]
    for row, (name, task) in enumerate(zip(ids, zoo.stacked("task_index").tolist(), strict=True)):
        own = [values[row] for values in figures.values()]
        yield [f"{name}{SAFE}", name, names[task], *own, *(entries[task].code or ())]


def _names(tasks: TaskList) -> list[str]:
    """What the tasks are called; one of several with the same name, by its position too."""
    count = Counter(entry.name for entry in tasks.entries)
    return [entry.name if count[entry.name] == 1 else f"{entry.name} ({i})" for i, entry in enumerate(tasks.entries)]


def _whole(folder: Path | str) -> ZooFolder:
    zoo = ZooFolder(folder)
    if wrong := damage(zoo):
        raise StoreError("\n".join([f"{zoo.folder}: what is damaged can't be exported", *wrong]))
    return zoo
