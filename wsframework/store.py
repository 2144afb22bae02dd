"""Files that are whole or absent, whatever moment the process dies at; and the zoo's shards among them.

Tensors are kept as safetensors, all else as JSON; nothing that is written or read here is a pickle.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from wsframework.errors import StoreError
from wsframework.spaces import WeightSpace

PARTIAL = ".partial"  # how the name of an unfinished file ends; a dead process may leave one behind


def write_atomic(path: Path, content: bytes | str) -> None:
    """``content`` (text as UTF-8) as the file ``path``: after a crash, the old content or the new, never a mixture.

    The file is flushed to disk under another name, then renamed; its mode follows the umask.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}{PARTIAL}")
    try:
        with partial.open("xb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    _sync_folder(path.parent)


def remove_file(path: Path) -> None:
    """No file ``path`` any more (nor after a crash)."""
    if path.exists():
        path.unlink()
        _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def save_json(path: Path, value: Any) -> None:
    """``value`` as an indented JSON file, written atomically."""
    write_atomic(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def load_json(path: Path) -> Any:
    """What `save_json` wrote.

    Raises:
        StoreError: naming the file, if it is missing or no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StoreError(f"{path}: can't be read ({error.strerror})") from None
    except ValueError as error:
        raise StoreError(f"{path}: not a JSON file ({error})") from None


def save_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> None:
    """Tensors of any shapes, strides and devices as one safetensors file, written atomically."""
    write_atomic(path, _serialized(tensors, metadata))


def _serialized(tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> bytes:
    # safetensors refuses views and tensors that share storage; clones are neither
    own = {n: t.detach().cpu().clone(memory_format=torch.contiguous_format) for n, t in tensors.items()}
    return safetensors.torch.save(own, metadata=dict(metadata) if metadata else None)  # {} would write a bad header


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors and the metadata of a safetensors file.

    Raises:
        StoreError: naming the file, if it is missing or damaged.
    """
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
            return tensors, file.metadata() or {}
    except FileNotFoundError:
        raise StoreError(f"{path}: no such file") from None
    except (OSError, safetensors.SafetensorError) as error:
        raise StoreError(f"{path}: not a readable safetensors file ({error})") from None


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

    It holds one safetensors file a block (``x`` (count, size), ``loss`` (count,), ``task_index`` (count,)),
    ``index.jsonl`` with a line for each, and ``zoo.json`` with the space and the recipe. A block counts as
    there when the index lists it and its file's checksum agrees; any other block is to be built again.
    One process writes at a time (`wsframework.pipeline.lock`); any number may read.

    Arguments:
        folder: of the zoo itself, such as ``runs/gaussian/zoo``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def begin(self, space: WeightSpace, recipe: Mapping[str, Any]) -> bool:
        """Make ready for blocks of this space and recipe (JSON values). Shards of any other are removed.

        Returns whether the folder was of this space and recipe already, so that its blocks count.
        """
        wanted = json.loads(json.dumps({"space": str(space), "recipe": dict(recipe)}))
        try:
            if load_json(self._zoo_file) == wanted:
                return True
        except StoreError:
            pass
        remove_file(self._index_file)  # first: without its line a shard does not count
        for path in self.folder.glob("shard-*.safetensors"):
            path.unlink()
        save_json(self._zoo_file, wanted)
        return False

    def space(self) -> WeightSpace:
        """The space of the zoo's networks."""
        return WeightSpace.parse(self._described("space"))

    def recipe(self) -> dict[str, Any]:
        """How the zoo's networks were trained, as given to `begin`."""
        return dict(self._described("recipe"))

    def _described(self, key: str) -> Any:
        found = load_json(self._zoo_file)
        if not isinstance(found, dict) or key not in found:
            raise StoreError(f"{self._zoo_file}: states no {key!r}; was it written by ZooStore?")
        return found[key]

    def append(self, block: int, x: Tensor, loss: Tensor, task_index: Tensor, seconds: float) -> None:
        """Add block number ``block``, or put it in the place of the one there was.

        Arguments:
            x: the networks, (count, size).
            loss: their final training losses, (count,).
            task_index: the positions of their tasks, (count,).
            seconds: how long they took to train.
        """
        content = _serialized({"x": x, "loss": loss, "task_index": task_index})
        name = f"shard-{block:05d}.safetensors"
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
        _sync_folder(self.folder)

    def listed(self) -> dict[int, Shard]:
        """The shards that the index lists, by block in ascending order; files are not looked at."""
        if not self._index_file.exists():
            return {}
        lines = self._index_file.read_bytes().split(b"\n")
        found = {shard.block: shard for line in lines if (shard := _parse_line(line)) is not None}
        return dict(sorted(found.items()))

    def blocks(self) -> set[int]:
        """The blocks that hold: listed, and their files are there and undamaged."""
        return {shard.block for shard in self.listed().values() if self._holds(shard)}

    def seconds(self, blocks: Iterable[int] | None = None) -> float:
        """How long the training of the ``blocks`` (default: those listed) took altogether."""
        shards = self.listed()
        return sum(shards[b].seconds for b in (shards if blocks is None else blocks))

    def load(self, blocks: Iterable[int] | None = None) -> dict[str, Tensor]:
        """``x`` (networks, size), ``loss`` and ``task_index`` (networks,) of the ``blocks`` (default: those listed).

        Raises:
            StoreError: naming a block that is not there, or is damaged.
        """
        shards = self.listed()
        wanted = list(shards if blocks is None else blocks)
        if not wanted:
            raise StoreError(f"{self.folder}: holds no networks")
        for block in wanted:
            if block not in shards or not self._holds(shards[block]):
                state = "damaged" if block in shards else "not there"
                raise StoreError(f"{self.folder}: block {block} is {state}; run again to build it")
        parts = [load_tensors(self.folder / shards[block].file)[0] for block in wanted]
        return {name: torch.cat([part[name] for part in parts]) for name in ("x", "loss", "task_index")}

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


def _parse_line(line: bytes) -> Shard | None:
    """The shard that a line of the index lists; none for a line that was cut off."""
    try:
        return Shard(**json.loads(line))
    except (ValueError, TypeError):
        return None
