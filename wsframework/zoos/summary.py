"""What there is to say of a zoo's folder, in JSON's types."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from wsframework.zoo_store import along
from wsframework.zoos.damage import damage
from wsframework.zoos.folder import ZooFolder

BINS = 10
WIDE = 100
"""Positive figures whose ends are so many times apart are counted on a logarithmic axis."""


def summary(folder: Path | str) -> dict[str, Any]:
    """Counts, networks, space, figures, tasks, sizes, recipe, digest of the content, and what is damaged."""
    zoo = ZooFolder(folder)
    index = zoo.stacked("task_index").long()
    counts = torch.bincount(index, minlength=len(zoo.tasks.entries)).tolist()
    files = [path for path in zoo.folder.iterdir() if path.is_file()]
    return {
        "folder": str(zoo.folder),
        "networks": sum(shard.count for shard in zoo.shards.values()),
        "readable": len(index),
        "blocks": len(zoo.shards),
        "architectures": architectures(zoo.recipe),
        "parameters": zoo.space.size,
        "free": [
            {"dim": d.name, "size": d.size, "within": d.within, "gauge": d.gauge} for d in zoo.space.dims if d.free
        ],
        "notation": str(zoo.space),
        "dtypes": sorted(set(zoo.layout.dtypes.values())),
        "loss": histogram(zoo.stacked("loss")),
        "metric": histogram(zoo.stacked("metric")),
        "checkpoints": [{"epoch": e, "loss": _mean(zoo.stacked(along(e)[1]))} for e in zoo.epochs],
        "tasks": [
            {"name": entry.name, "code": entry.code, "networks": count}
            for entry, count in zip(zoo.tasks.entries, counts, strict=True)
        ],
        "code": zoo.tasks.shape.code,
        "bytes": sum(path.stat().st_size for path in files),
        "seconds": sum(shard.seconds for shard in zoo.shards.values()),
        "recipe": zoo.recipe,
        "content": zoo.content,
        "damage": damage(zoo),
    }


def architectures(recipe: dict[str, Any]) -> list[str]:
    """What the networks are, in words; of merged zoos, each kind once."""
    if "merged" in recipe:
        return list(dict.fromkeys(words for inner in recipe["merged"] for words in architectures(inner)))
    if "imported" in recipe:
        return [_imported(recipe["imported"])]
    network = recipe.get("network", {})
    options = " ".join(f"{key}={value}" for key, value in network.get("options", {}).items())
    return [f"{network.get('use', 'not known')} {options}".strip()]


def _imported(about: dict[str, Any]) -> str:
    if not about.get("network"):
        return "imported without a network: symmetries unknown, no dim is free"
    return " ".join([f"imported: {about['network']}", *about.get("arguments", ())])


def _mean(values: Tensor) -> float | None:
    """Over the values that are finite; None where none is."""
    known = values[values.isfinite()]
    return float(known.double().mean()) if len(known) else None


def histogram(values: Tensor) -> dict[str, Any] | None:
    """Least, mean, greatest, and how many finite values are in each of `BINS` bins; None where none is finite."""
    known = values.double()[values.isfinite()]
    if not len(known):
        return None
    low, high = float(known.min()), float(known.max())
    wide = low > 0 and high / low > WIDE
    ends = torch.linspace(0, 1, BINS + 1, dtype=torch.float64)
    edges = low * (high / low) ** ends if wide else low + (high - low) * ends
    place = torch.bucketize(known, edges[1:-1], right=True)
    return {
        "least": low,
        "mean": float(known.mean()),
        "greatest": high,
        "edges": edges.tolist(),
        "counts": torch.bincount(place, minlength=BINS).tolist(),
    }
