"""`ZooFolder`: a zoo on disk, whoever wrote it: its networks, what they are called, and their tasks."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from wsframework.errors import NotationError, StoreError
from wsframework.spaces import WeightSpace
from wsframework.store import load_json, load_tensors
from wsframework.zoo_store import Shard, ZooStore, along
from wsframework.zoos.entries import FILE, TaskList, unnamed
from wsframework.zoos.layout import Layout

FIGURES = ("loss", "task_index", "metric")
REST = "rest."
"""What stands before the keys of tensors that are no weights."""


@dataclass(frozen=True, eq=False)
class Block:
    """The networks of one shard, read and found whole.

    Attributes:
        ids: what they are called.
        x: their weights, (count, size).
        figures: ``loss`` and ``task_index``, where it is known ``metric``, and losses along training, each (count,).
        way: their weights along training, by epoch, each (count, size).
        rest: what else their state dicts hold, by its keys, each (count, *shape).
    """

    ids: tuple[str, ...]
    x: Tensor
    figures: Mapping[str, Tensor]
    way: Mapping[int, Tensor]
    rest: Mapping[str, Tensor]

    def __len__(self) -> int:
        return len(self.x)

    @property
    def finite(self) -> Tensor:
        """Which of the networks have finite numbers only, at the end and on their way, (count,)."""
        return torch.stack([x.isfinite().all(1) for x in (self.x, *self.way.values())]).all(0)

    def further(self) -> dict[str, Tensor]:
        """The tensors that `ZooStore.append` takes as such."""
        figures = {name: value for name, value in self.figures.items() if name not in ("loss", "task_index")}
        way = {along(epoch)[0]: x for epoch, x in self.way.items()}
        return figures | way | {REST + key: value for key, value in self.rest.items()}


class ZooFolder:
    """A zoo that a run, an import, a merge or an export wrote. It is only read here.

    Raises:
        StoreError: where the folder holds no zoo.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        known = [self.folder / name for name in ("zoo.json", "config.json") if (self.folder / name).is_file()]
        if not known:
            within = f"; did you mean {self.folder / 'zoo'}?" if (self.folder / "zoo" / "zoo.json").is_file() else ""
            raise StoreError(
                f"{self.folder}: there is no zoo here, neither zoo.json nor the config.json of one{within}"
            )
        self.about: dict[str, Any] = load_json(known[0])
        if not (isinstance(self.about, dict) and {"space", "recipe"} <= self.about.keys()):
            raise StoreError(f"{known[0]}: states no space and recipe of a zoo")

    @cached_property
    def space(self) -> WeightSpace:
        """That of the networks."""
        try:
            return WeightSpace.parse(self.about["space"])
        except (NotationError, TypeError) as error:
            raise StoreError(f"{self.folder}: the space of the zoo can't be read ({error})") from None

    @property
    def recipe(self) -> dict[str, Any]:
        """What the networks depend on, in JSON's types."""
        found: dict[str, Any] = self.about["recipe"]
        return found

    @property
    def epochs(self) -> tuple[int, ...]:
        """After which the networks were kept, before their last."""
        return epochs(self.recipe)

    @cached_property
    def layout(self) -> Layout:
        """The keys of the networks' state dicts."""
        saved = self.about.get("layout")
        return Layout.plain(self.space) if saved is None else Layout.from_json(self.space, saved)

    @cached_property
    def shards(self) -> dict[int, Shard]:
        """Those that the index lists, by block."""
        path = self.folder / "index.json"
        if not path.is_file():
            return ZooStore(self.folder).listed()
        try:
            return {
                shard.block: shard for shard in sorted((Shard(**s) for s in load_json(path)), key=lambda s: s.block)
            }
        except TypeError as error:
            raise StoreError(f"{path}: this is no index of shards ({error})") from None

    @cached_property
    def tasks(self) -> TaskList:
        """The tasks; only their numbers, where the folder says no more."""
        if (self.folder / FILE).is_file():
            return TaskList.load(self.folder)
        highest = [int(block.figures["task_index"].max()) for _, block in self.whole()]
        return unnamed(max(highest, default=-1) + 1, self.recipe)

    @cached_property
    def digest(self) -> str:
        """Of what the zoo says of itself: its networks are called by it, where they have no names of their own."""
        text = json.dumps([self.about["space"], self.recipe], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def content(self) -> str:
        """A digest that equal zoos share, whenever and wherever they were made, and no others."""
        tasks = asdict(self.tasks)
        shards = [[shard.block, shard.count, shard.sha256] for shard in self.shards.values()]
        text = json.dumps([self.digest, self.about.get("layout"), tasks, shards], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def block(self, number: int) -> Block:
        """The networks of one block.

        Raises:
            StoreError: where they are not there, or damaged, with what is wrong.
        """
        if number not in self.shards:
            raise StoreError(f"{self.folder}: block {number} is not there")
        shard = self.shards[number]
        path = self.folder / shard.file
        if Path(shard.file).name != shard.file or not path.is_file():
            raise StoreError(f"{path}: block {number} is missing")
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != shard.sha256:
                raise StoreError(f"{path}: block {number} is damaged: it is not what the index says it was")
        tensors, metadata = load_tensors(path)
        ids = json.loads(metadata["ids"]) if "ids" in metadata else self._ids(shard)
        return self._checked(path, shard, tensors, tuple(ids))

    def _ids(self, shard: Shard) -> list[str]:
        return [f"{self.digest[:8]}-{shard.block}-{row}" for row in range(shard.count)]

    def _checked(self, path: Path, shard: Shard, tensors: Mapping[str, Tensor], ids: tuple[str, ...]) -> Block:
        matrix, vector = (shard.count, self.space.size), (shard.count,)
        wanted = {"x": matrix, "loss": vector, "task_index": vector}
        wanted |= {n: s for e in self.epochs for n, s in zip(along(e), (matrix, vector), strict=True)}
        for name, shape in wanted.items():
            found = tuple(tensors[name].shape) if name in tensors else "absent"
            if found != shape:
                raise StoreError(
                    f"{path}: block {shard.block} is no block of this zoo: {name!r} is {found}, not {shape}"
                )
        rest = {key: tensors.get(REST + key) for key in self.layout.rest}
        lacking = [key for key, value in rest.items() if value is None or value.shape[1:] != self.layout.shapes[key]]
        if lacking or len(ids) != shard.count:
            what = f"{lacking[0]!r} is absent or of another shape" if lacking else f"{len(ids)} ids for {shard.count}"
            raise StoreError(f"{path}: block {shard.block} is no block of this zoo: {what}")
        named = (*FIGURES, *(along(epoch)[1] for epoch in self.epochs))
        figures = {name: tensors[name] for name in named if name in tensors}
        way = {epoch: tensors[along(epoch)[0]] for epoch in self.epochs}
        return Block(ids, tensors["x"], figures, way, {k: value for k, value in rest.items() if value is not None})

    def whole(self) -> Iterator[tuple[int, Block]]:
        """The blocks that are not damaged, one after the other."""
        for number in self.shards:
            try:
                yield number, self.block(number)
            except StoreError:
                continue

    def states(self) -> Iterator[tuple[str, dict[str, Tensor]]]:
        """Every network's id and state dict, as it was when it came in, dtypes too.

        Raises:
            StoreError: at the first block that is damaged.
        """
        for number in self.shards:
            block = self.block(number)
            for row, name in enumerate(block.ids):
                rest = {key: value[row] for key, value in block.rest.items()}
                yield name, self.layout.state(block.x[row], rest)

    def stacked(self, name: str) -> Tensor:
        """A figure of all networks that are not damaged, (networks,); NaN where it is not known."""
        parts = [block.figures.get(name, torch.full((len(block),), torch.nan)) for _, block in self.whole()]
        return torch.cat(parts) if parts else torch.empty(0)


def epochs(recipe: Mapping[str, Any]) -> tuple[int, ...]:
    """After which a zoo of this recipe keeps its networks, before their last."""
    merged = recipe.get("merged")
    return epochs(merged[0]) if merged else tuple(recipe.get("checkpoints", ()))
