"""A zoo of perceptrons aligned to one of them, beside `rebasin` one by one."""

from __future__ import annotations

import contextlib
import io
import time
import warnings
from importlib import import_module
from importlib.util import find_spec

import torch
from torch import Tensor, nn

from wsframework.alignment import align
from wsframework.benchmarks import Row
from wsframework.benchmarks.alignment.digits import Digits
from wsframework.benchmarks.alignment.networks import perceptron, space_of
from wsframework.config.building import build
from wsframework.config.sections import PartConfig
from wsframework.parts.entrypoints import load_registry
from wsframework.randomness import generator
from wsframework.spaces import Weights
from wsframework.tasks import OBJECTIVES, Data, TaskBatch, TaskShape
from wsframework.training import Budget, train_networks

EPOCHS = 2
RIVALS = 5
"""Networks that the rival aligns, one by one."""


def zoo_rows(digits: Digits, networks: int) -> list[Row]:
    """What it takes to align ``networks`` perceptrons 64-64-64-10, briefly trained, to one of them."""
    zoo = _zoo(digits, networks)
    reference = Weights(zoo.space, zoo.x[:1])
    start = time.process_time()
    found = align(zoo, reference, generator=generator(0, "order"))
    seconds = time.process_time() - start
    nearer = found.distances.after[1:].mean() / found.distances.before[1:].mean()
    note = f"processor time; {found.sweeps.double().mean():.2g} sweeps on average; {EPOCHS} epochs of training"
    rows = [
        Row(f"{networks} perceptrons 64-64-64-10 to one of them", seconds, "s", note=note),
        Row("mean distance after", found.distances.after[1:].mean().item(), "", "before", nearer.item()),
    ]
    return [*rows, *_rival(zoo, digits, seconds / networks, found.distances.after)]


def _zoo(digits: Digits, networks: int) -> Weights:
    """Perceptrons that differ in initialisation and order of minibatches, trained side by side."""
    architecture = build(load_registry(), "architecture", PartConfig("mlp", {"widths": (64, 64)}))
    shape = TaskShape((64,), (10,))
    images, classes = digits.x.flatten(1), digits.y
    data = Data(images, classes).repeated(networks)
    budget = Budget.of_epochs(EPOCHS, 0.003, 64, len(images))
    x = architecture.initialize(shape, networks, generator(0, "initial"))
    tasks = TaskBatch(data, data, OBJECTIVES["classification"])
    for moment in train_networks(architecture, shape, x, tasks, budget, generator(0, "zoo")):
        last = moment.x
    return Weights(architecture.space(shape), last.clone())


def _rival(zoo: Weights, digits: Digits, seconds: float, ours: Tensor) -> list[Row]:
    """The same by `rebasin` from PyPI, a few networks one by one."""
    name = "rebasin, one by one"
    if find_spec("rebasin") is None:
        return [Row(name, None, "s/network", note="not installed")]
    count = min(RIVALS, len(zoo) - 1)
    networks = [_network(zoo, k) for k in range(count + 1)]
    start = time.process_time()
    for network in networks[1:]:
        _rebase(networks[0], network, digits.x[:16])
    theirs = (time.process_time() - start) / count
    after = torch.stack([torch.cat([p.flatten() for p in n.parameters()]) - zoo.x[0] for n in networks[1:]]).norm(dim=1)
    return [
        Row("in a batch", seconds, "s/network", name, seconds / theirs),
        Row(name, theirs, "s/network", note=f"{count} networks; processor time"),
        Row(
            f"mean distance of these {count}",
            ours[1 : count + 1].mean().item(),
            "",
            name,
            ours[1 : count + 1].mean().item() / after.mean().item(),
        ),
    ]


def _network(zoo: Weights, index: int) -> nn.Module:
    network = perceptron(64, 2)
    values = [value[index] for value in zoo.parameters().values()]
    network.load_state_dict(dict(zip(space_of(network).shapes, values, strict=True)))
    return network.eval()


def _rebase(reference: nn.Module, network: nn.Module, images: Tensor) -> None:
    """Move ``network`` in place; what the rival prints and warns of is no concern of a benchmark."""
    method = import_module("rebasin").PermutationCoordinateDescent
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        method(reference, network, images).rebasin()
