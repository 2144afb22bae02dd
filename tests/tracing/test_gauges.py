"""Signs and scales that leave a network unchanged, known in closed form."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import torch
from networks import Formula, recurrent
from test_corpus import chains
from torch import nn

from wsframework.tracing import trace


def two() -> dict[str, nn.Module]:
    return {"a": nn.Linear(3, 5), "b": nn.Linear(5, 2)}


def layers(*between: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Linear(3, 5), *between, nn.Linear(5, 2))


def pooled(pool: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Conv1d(2, 4, 2), pool, nn.Conv1d(4, 2, 2))


CASES: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...], Sequence[tuple[int, str | None]]]] = {
    "nothing between": (lambda: layers(), (4, 3), [(5, "scale")]),
    "ReLU": (lambda: layers(nn.ReLU()), (4, 3), [(5, "scale")]),
    "leaky ReLU": (lambda: layers(nn.LeakyReLU()), (4, 3), [(5, "scale")]),
    "tanh": (lambda: layers(nn.Tanh()), (4, 3), [(5, "sign")]),
    "sine": (lambda: Formula(lambda m, x: m.b(m.a(x).sin()), **two()), (4, 3), [(5, "sign")]),
    "GELU": (lambda: layers(nn.GELU()), (4, 3), [(5, None)]),
    "sigmoid": (lambda: layers(nn.Sigmoid()), (4, 3), [(5, None)]),
    "tanh and ReLU": (lambda: layers(nn.Tanh(), nn.ReLU()), (4, 3), [(5, None)]),
    "norm": (lambda: layers(nn.LayerNorm(5), nn.ReLU()), (4, 3), [(5, "scale")]),
    "batch norm": (lambda: layers(nn.BatchNorm1d(5), nn.ReLU()), (4, 3), [(5, "scale")]),
    "norm without weights": (lambda: layers(nn.LayerNorm(5, elementwise_affine=False)), (4, 3), [(5, None)]),
    "max-pool of a scale": (lambda: pooled(nn.MaxPool1d(2)), (2, 2, 8), [(4, "scale")]),
    "max-pool of a sign": (lambda: pooled(nn.Sequential(nn.Tanh(), nn.MaxPool1d(2))), (2, 2, 8), [(4, None)]),
    "mean-pool of a sign": (lambda: pooled(nn.Sequential(nn.Tanh(), nn.AvgPool1d(2))), (2, 2, 8), [(4, "sign")]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_gauge(name: str) -> None:
    torch.manual_seed(0)
    make, shape, expected = CASES[name]
    found = chains(trace(make().eval(), torch.randn(shape)))
    assert [(sizes[0], gauge) for sizes, gauge in found] == list(expected)


def test_batch_norm_carries_the_scale_in_its_affine_part() -> None:
    """Not before it: its epsilon would be scaled, too."""
    text = str(trace(layers(nn.BatchNorm1d(5), nn.ReLU()).eval(), torch.randn(4, 3)))
    powers = {line.split()[0]: line.split()[1] for line in text.splitlines() if line.startswith(("0.", "1.", "3."))}
    assert "^" not in powers["0.weight"] + powers["1.running_mean"] + powers["1.running_var"]
    assert "^+1" in powers["1.weight"]
    assert "^+1" in powers["1.bias"]


@pytest.mark.parametrize("layer", [nn.RNN(3, 5, nonlinearity="relu")], ids=["ReLU"])
def test_recurrent(layer: nn.Module) -> None:
    network = recurrent(layer, 5, [5], ["scale"])
    assert chains(trace(network.module.eval(), network.args)) == [((5,), "scale")]
