"""Small networks for digits, and their weight spaces."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from wsframework.spaces import WeightSpace


def perceptron(width: int, hidden: int) -> nn.Sequential:
    """``hidden`` layers of ``width`` neurons with ReLU."""
    layers: list[nn.Module] = [nn.Flatten(), nn.Linear(64, width), nn.ReLU()]
    for _ in range(hidden - 1):
        layers += [nn.Linear(width, width), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(width, 10))


class Residual(nn.Module):
    """A stem, two residual blocks, the mean over the image, a linear layer."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels))
        self.blocks = nn.ModuleList(self._block(channels) for _ in range(2))
        self.head = nn.Linear(channels, 10)

    @staticmethod
    def _block(channels: int) -> nn.Sequential:
        convolutions = [nn.Conv2d(channels, channels, 3, padding=1, bias=False) for _ in range(2)]
        norms = [nn.BatchNorm2d(channels) for _ in range(2)]
        return nn.Sequential(convolutions[0], norms[0], nn.ReLU(), convolutions[1], norms[1])

    def forward(self, x: Tensor) -> Tensor:
        """Logits (batch, 10) of images (batch, 1, 8, 8)."""
        h = torch.relu(self.stem(x))
        for block in self.blocks:
            h = torch.relu(h + block(h))
        logits: Tensor = self.head(h.mean((2, 3)))
        return logits


def space_of(network: nn.Module) -> WeightSpace:
    """The space of one of the networks above, written by hand."""
    if isinstance(network, Residual):
        return _residual_space(network.head.in_features)
    linear = {name: layer for name, layer in network.named_modules() if isinstance(layer, nn.Linear)}
    dims = ["in", *(f"h{k}" for k in range(1, len(linear))), "out"]
    lines = [
        "fixed in=64 out=10",
        *(f"free {d}={layer.out_features}" for d, layer in zip(dims[1:-1], linear.values(), strict=False)),
    ]
    for k, name in enumerate(linear):
        lines += [f"{name}.weight {dims[k + 1]} {dims[k]}", f"{name}.bias {dims[k + 1]}"]
    return WeightSpace.parse("\n".join(lines))


def _residual_space(channels: int) -> WeightSpace:
    def norm(name: str, dim: str) -> list[str]:
        parts = ("weight", "bias", "running_mean", "running_var")
        return [*(f"{name}.{part} {dim}" for part in parts), f"{name}.num_batches_tracked ()"]

    lines = [f"free stream={channels} a={channels} b={channels}", "fixed image=1 i=3 j=3 out=10"]
    lines += ["stem.0.weight stream image i j", *norm("stem.1", "stream")]
    for k, inner in enumerate("ab"):
        lines += [f"blocks.{k}.0.weight {inner} stream i j", *norm(f"blocks.{k}.1", inner)]
        lines += [f"blocks.{k}.3.weight stream {inner} i j", *norm(f"blocks.{k}.4", "stream")]
    return WeightSpace.parse("\n".join([*lines, "head.weight out stream", "head.bias out"]))
