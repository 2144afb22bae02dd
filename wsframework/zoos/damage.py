"""What is wrong with a zoo's folder, sentence by sentence; what is whole stays readable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from wsframework.errors import StoreError
from wsframework.zoo_store import parsed
from wsframework.zoos.folder import Block, ZooFolder


def damage(zoo: ZooFolder) -> list[str]:
    """Everything that is wrong: blocks, the index, numbers, names."""
    found, seen = list(lost(zoo)), Counter[str]()
    for number in zoo.shards:
        try:
            block = zoo.block(number)
        except StoreError as error:
            found.append(str(error))
            continue
        seen.update(block.ids)
        found += [f"network {name!r} of block {number} has weights that are not finite" for name in diverged(block)]
    return found + [f"{count} networks are called {name!r}" for name, count in seen.items() if count > 1]


def diverged(block: Block) -> list[str]:
    """The networks that have a weight which is no finite number."""
    return [name for name, finite in zip(block.ids, block.finite.tolist(), strict=True) if not finite]


def lost(zoo: ZooFolder) -> Iterator[str]:
    """What the index should list and does not."""
    index = zoo.folder / "index.jsonl"
    if index.is_file() and (last := index.read_bytes().rstrip(b"\n").split(b"\n")[-1]) and parsed(last) is None:
        yield f"{index}: the last line is cut off; the block that it listed does not count"
    if not zoo.shards:
        yield f"{zoo.folder}: the index lists no networks"
    for number in sorted(set(range(max(zoo.shards, default=-1) + 1)) - zoo.shards.keys()):
        yield f"{zoo.folder}: the index lists later blocks, and not block {number}"
    listed = {shard.file for shard in zoo.shards.values()}
    for path in sorted(zoo.folder.glob("*.safetensors")):
        if path.name not in listed:
            yield f"{path}: the index does not list this shard"
