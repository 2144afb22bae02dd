"""Networks that were trained elsewhere, as files, and small zoos of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from wsframework.zoos import import_zoo

State = Mapping[str, Tensor]


def perceptron(hidden: int = 3) -> nn.Module:
    """Two inputs, one answer."""
    return nn.Sequential(nn.Linear(2, hidden), nn.Tanh(), nn.Linear(hidden, 1))


def states(count: int, seed: int = 0, hidden: int = 3) -> dict[str, State]:
    """State dicts of perceptrons, by the names of their files."""
    torch.manual_seed(seed)
    return {f"net-{seed}-{i}.safetensors": perceptron(hidden).state_dict() for i in range(count)}


def written(folder: Path, found: Mapping[str, State], codes: Sequence[Sequence[float]] = ()) -> Path:
    """The files, and a tasks.csv beside them that has two tasks by turns; returns the folder."""
    folder.mkdir(parents=True)
    codes = codes or [(0.5, -1.0), (2.0, 1e-3)]
    lines = ["file,task,a,b"]
    for i, (name, state) in enumerate(found.items()):
        (save_file if name.endswith(".safetensors") else torch.save)(dict(state), folder / name)  # type: ignore[operator]
        lines.append(f"{name},task-{i % 2},{','.join(map(repr, codes[i % 2]))}")
    (folder / "tasks.csv").write_text("\n".join(lines) + "\n")
    return folder


def zoo(folder: Path, count: int = 4, seed: int = 0, hidden: int = 3) -> Path:
    """An imported zoo without a network."""
    source = written(folder.with_name(f"{folder.name}-files"), states(count, seed, hidden))
    return import_zoo([source], source / "tasks.csv", folder)
