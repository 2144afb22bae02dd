"""`ZooStore`: a zoo as a folder of shards, appended to block by block."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from wsframework.errors import StoreError
from wsframework.spaces import WeightSpace
from wsframework.store import (
    load_json,
    load_tensors,
    remove_file,
    save_json,
    serialized,
    sync_folder,
    told,
    write_atomic,
)
from wsframework.stored_weights import StoredWeights


@dataclass(frozen=True)
class Shard:
    """A line of a zoo's index: one block of networks that were trained side by side.

    Attributes:
        block: its number, from 0.
        file: its name in the zoo's folder.
        count: how many networks it holds.
        sha256: of the file's content, hexadecimal.
        seconds: how long their training took.
    """

    block: int
    file: str
    count: int
    sha256: str
    seconds: float


class ZooStore:
    """A folder of stacked networks: appended to block by block, intact after a crash at any moment.

    It holds one safetensors file a block (``x`` (count, size), ``loss`` (count,), ``task_index`` (count,), where
    networks have names of their own their ``ids``, and further tensors where they have more than weights, or were
    kept `along` their training),
    ``index.jsonl`` with a line for each, and ``zoo.json`` with the space and the recipe. A block counts as
    there when the index lists it and its file's checksum agrees; any other block is to be built again.
    One process writes at a time (`wsframework.pipeline.lock`); any number may read.

    Arguments:
        folder: of the zoo itself, such as ``runs/gaussian/zoo``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def begin(self, space: WeightSpace, recipe: Mapping[str, Any], further: Mapping[str, Any] | None = None) -> bool:
        """Make ready for blocks of this space and recipe (JSON values). Shards of any other are removed.

        Returns whether the folder was of this space and recipe already, so that its blocks count.

        Arguments:
            further: other keys of ``zoo.json``.
        """
        if self.holds(space, recipe, further):
            return True
        with told(f"{self.folder}: the zoo can't be begun"):
            remove_file(self._index_file)  # first: without its line a shard does not count
            for path in self.folder.glob("shard-*.safetensors"):
                path.unlink()
            save_json(self._zoo_file, _content(space, recipe, further))
        return False

    def holds(self, space: WeightSpace, recipe: Mapping[str, Any], further: Mapping[str, Any] | None = None) -> bool:
        """Whether the folder is of this space and recipe, and has these ``further`` keys."""
        try:
            return bool(load_json(self._zoo_file) == _content(space, recipe, further))
        except StoreError:
            return False

    def space(self) -> WeightSpace:
        """The space of the zoo's networks."""
        found = load_json(self._zoo_file)
        if not isinstance(found, dict) or "space" not in found:
            raise StoreError(f"{self._zoo_file}: states no space; was it written by ZooStore?")
        return WeightSpace.parse(found["space"])

    def append(
        self,
        block: int,
        x: Tensor,
        loss: Tensor,
        task_index: Tensor,
        seconds: float,
        *,
        ids: Sequence[str] = (),
        further: Mapping[str, Tensor] | None = None,
    ) -> None:
        """Add block number ``block``, or put it in the place of the one there was.

        Arguments:
            x: the networks, (count, size).
            loss: their final training losses, (count,).
            task_index: the positions of their tasks, (count,).
            seconds: how long they took to train.
            ids: what the networks are called, where they have names of their own.
            further: other tensors, each with a leading axis of networks.

        Raises:
            StoreError: where the block can't be written, as on a full disk; those before it are as they were.
        """
        tensors = {"x": x, "loss": loss, "task_index": task_index, **(further or {})}
        content = serialized(tensors, {"ids": json.dumps(list(ids))} if ids else None)
        name = f"shard-{block:05d}.safetensors"
        with told(f"{self.folder}: block {block} can't be written, and those before it are kept"):
            write_atomic(self.folder / name, content)
            shard = Shard(block, name, x.shape[0], hashlib.sha256(content).hexdigest(), seconds)
            self._append_line(json.dumps(asdict(shard)))

    def _append_line(self, line: str) -> None:
        with self._index_file.open("a+b") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(end - 1, 0))
            torn = file.read(1) not in (b"", b"\n")  # the last writer died in the middle of its line
            file.write((b"\n" if torn else b"") + line.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        sync_folder(self.folder)

    def listed(self) -> dict[int, Shard]:
        """The shards that the index lists, by block in ascending order; files are not looked at."""
        if not self._index_file.exists():
            return {}
        lines = self._index_file.read_bytes().split(b"\n")
        found = {shard.block: shard for line in lines if (shard := parsed(line)) is not None}
        return dict(sorted(found.items()))

    def blocks(self) -> set[int]:
        """The blocks that hold: listed, and their files are there and undamaged."""
        return {shard.block for shard in self.listed().values() if self._holds(shard)}

    def seconds(self, blocks: Iterable[int] | None = None) -> float:
        """How long the training of the ``blocks`` (default: those listed) took altogether."""
        shards = self.listed()
        return sum(shards[b].seconds for b in (shards if blocks is None else blocks))

    def load(
        self, blocks: Iterable[int] | None = None, names: Sequence[str] = ("x", "loss", "task_index")
    ) -> dict[str, Tensor]:
        """``x`` (networks, size), ``loss`` and ``task_index`` (networks,) of the ``blocks`` (default: those listed).

        Arguments:
            names: which of them.

        Raises:
            StoreError: naming a block that is not there, or is damaged.
        """
        parts = [load_tensors(path, names)[0] for path in self._paths(self.listed() if blocks is None else blocks)]
        return {name: torch.cat([part[name] for part in parts]) for name in names}

    def stored(self, blocks: Iterable[int], count: int) -> StoredWeights:
        """The first ``count`` networks of the ``blocks``, which stay on disk.

        Raises:
            StoreError: naming a block that is not there, or is damaged.
        """
        return StoredWeights(self.space(), self._paths(blocks), torch.arange(count))

    def _paths(self, blocks: Iterable[int]) -> list[Path]:
        """The files of ``blocks``, each there and undamaged."""
        shards, wanted = self.listed(), list(blocks)
        if not wanted:
            raise StoreError(f"{self.folder}: holds no networks")
        for block in wanted:
            if block not in shards or not self._holds(shards[block]):
                state = "damaged" if block in shards else "not there"
                raise StoreError(f"{self.folder}: block {block} is {state}; run again to build it")
        return [self.folder / shards[block].file for block in wanted]

    def _holds(self, shard: Shard) -> bool:
        path = self.folder / shard.file
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == shard.sha256

    @property
    def _index_file(self) -> Path:
        return self.folder / "index.jsonl"

    @property
    def _zoo_file(self) -> Path:
        return self.folder / "zoo.json"


def _content(space: WeightSpace, recipe: Mapping[str, Any], further: Mapping[str, Any] | None) -> Any:
    """What zoo.json holds, as it reads back."""
    return json.loads(json.dumps({"space": str(space), "recipe": dict(recipe), **(further or {})}))


def along(epoch: int) -> tuple[str, str]:
    """What a shard calls the weights (count, size) and the losses (count,) that its networks had after ``epoch``."""
    return f"x@{epoch}", f"loss@{epoch}"


def parsed(line: bytes) -> Shard | None:
    """The shard that a line of the index lists; none for a line that was cut off."""
    try:
        return Shard(**json.loads(line))
    except (ValueError, TypeError):
        return None
