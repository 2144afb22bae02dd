"""A layer of the denoiser `graph`, dense, beside the same update in sparse message passing on the same graph."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from wsframework.benchmarks import Row, Table
from wsframework.benchmarks.rivals.message_passing import SparseLayer
from wsframework.config.building import build
from wsframework.config.sections import PartConfig
from wsframework.device import one_thread
from wsframework.parts.entrypoints import load_registry
from wsframework.spaces import WeightSpace, neural_graph

CHANNELS = 16
SETTINGS = (("SIREN", (2, 32, 32, 1), 64), ("MLP", (784, 128, 128, 10), 16))
"""A name, sizes of layers, and networks in a batch."""
_RIVAL = "sparse message passing"


def run(*, settings: Sequence[tuple[str, Sequence[int], int]] = SETTINGS, turns: int = 5) -> Table:
    """Forward and backward through one layer, in processor time on one thread, both in turns."""
    title = (
        f"graph layers: forward and backward, {CHANNELS} channels; processor time, 1 thread, torch {torch.__version__}"
    )
    return Table(title, rows(settings=settings, turns=turns))


def rows(*, settings: Sequence[tuple[str, Sequence[int], int]] = SETTINGS, turns: int = 5) -> tuple[Row, ...]:
    """A row for each setting: the median of turns, beside that of the rival; its ratio is the rival's time over it."""
    with one_thread():
        return tuple(_row(name, sizes, batch, turns) for name, sizes, batch in settings)


def _row(name: str, sizes: Sequence[int], batch: int, turns: int) -> Row:
    dense, sparse = steps(perceptron(sizes), batch)
    dense(), sparse()  # a warm-up
    taken = np.array([[_seconds(dense), _seconds(sparse)] for _ in range(turns)])
    own, rival = np.median(taken, axis=0)
    ratios = taken[:, 1] / taken[:, 0]
    note = f"{_RIVAL} {rival * 1e3:.3g} ms; {ratios.min():.2f} to {ratios.max():.2f} times in {turns} turns"
    return Row(f"{name} {'-'.join(map(str, sizes))}, batch {batch}", own, "s", _RIVAL, rival / own, note)


def perceptron(sizes: Sequence[int]) -> WeightSpace:
    """Weights and biases between layers of these sizes."""
    dims = [f"d{number}={size}" for number, size in enumerate(sizes)]
    lines = [f"w{k} d{k + 1} d{k}\nb{k} d{k + 1}" for k in range(len(sizes) - 1)]
    return WeightSpace.parse("\n".join([f"fixed {dims[0]} {dims[-1]}", f"free {' '.join(dims[1:-1])}", *lines]))


def steps(space: WeightSpace, batch: int) -> tuple[Callable[[], list[Tensor]], Callable[[], list[Tensor]]]:
    """Forward and backward through a layer, dense and sparse, from one state and for one loss.

    Each gives the updated nodes (nodes, batch, width), the gradient to nodes, and that to the matrix of edges.
    """
    torch.manual_seed(0)
    options = {"width": CHANNELS, "edge_width": CHANNELS, "layers": 1}
    denoiser: Any = build(load_registry(), "denoiser", PartConfig("graph", options), space, 0)
    x, t = torch.randn(batch, space.size), torch.rand(batch)
    with torch.no_grad():
        (h, p, messages, c), grid = denoiser.start(x, t, x.new_empty(batch, 0), space)
    layer, graph = denoiser.layers[0], neural_graph(space)
    place = grid.order.argsort()[graph.edges.coordinate]
    loss, edge_loss = torch.randn_like(h), torch.randn(len(place), batch, CHANNELS)
    starts, many = [h, *p], [len(part) for part in p]

    def dense() -> list[Tensor]:
        h, *p = given = _leaves(starts, layer)
        nodes, edges, *_ = layer((h, p, messages, c), grid)
        torch.autograd.backward([nodes, *edges], [loss, *edge_loss.split_with_sizes(many)])
        return [nodes, _gradient(given[0]), _gradient(layer.edge.weight)]

    turned = [value.transpose(0, 1).contiguous() for value in (h, torch.cat(p)[place], loss, edge_loss[place])]
    sparse_layer = SparseLayer(layer)

    def sparse() -> list[Tensor]:
        h, p = _leaves(turned[:2], layer)
        nodes, edges, _ = sparse_layer(h, p, c, graph)
        torch.autograd.backward([nodes, edges], turned[2:])
        return [nodes.transpose(0, 1), _gradient(h).transpose(0, 1), _gradient(layer.edge.weight)]

    return dense, sparse


def _leaves(values: Sequence[Tensor], layer: torch.nn.Module) -> list[Tensor]:
    layer.zero_grad()
    return [value.detach().requires_grad_() for value in values]


def _gradient(value: Tensor) -> Tensor:
    assert value.grad is not None
    return value.grad


def _seconds(step: Callable[[], object]) -> float:
    begin = time.process_time()
    step()
    return time.process_time() - begin
