"""What a network's last linear layer reads: found in its module, whatever the architecture."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from wsframework.errors import NotApplicable
from wsframework.parts.interfaces import Architecture
from wsframework.tasks import TaskShape


@torch.no_grad()
def penultimate(architecture: Architecture, shape: TaskShape, x: Tensor, inputs: Tensor) -> tuple[Tensor, Tensor]:
    """Penultimate features and readouts of many networks.

    Arguments:
        x: networks (networks, size).
        inputs: (networks, points, *inputs).

    Returns:
        features (networks, points, width), and the last layer's weights (networks, outputs, width).

    Raises:
        NotApplicable: where no linear layer gives the network's outputs.
    """
    with torch.random.fork_rng(devices=[]):
        network = architecture.network(shape).eval()
    name = _head(network, inputs[0, :2])
    state = architecture.space(shape).unflatten(x)
    found = [_read(network, name, {n: v[i] for n, v in state.items()}, inputs[i]) for i in range(len(x))]
    return torch.stack(found), state[f"{name}.weight"]


def _head(network: nn.Module, inputs: Tensor) -> str:
    """The name of the linear layer whose outputs, row by row, are the network's."""
    said: dict[str, Tensor] = {}

    def note(name: str) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
        return lambda _, __, written: said.update({name: written.flatten(1)})

    linear = [(name, module) for name, module in network.named_modules() if isinstance(module, nn.Linear)]
    hooks = [module.register_forward_hook(note(name)) for name, module in linear]
    outputs = network(inputs).flatten(1)
    for hook in hooks:
        hook.remove()
    for name, written in said.items():
        if name and torch.equal(written, outputs):
            return name
    raise NotApplicable("penultimate features are what a last linear layer reads, and this network does not end in one")


def _read(network: nn.Module, name: str, parameters: dict[str, Tensor], inputs: Tensor) -> Tensor:
    """What the layer ``name`` reads, (points, width), of inputs (points, *inputs)."""
    seen: list[Tensor] = []
    hook = network.get_submodule(name).register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    torch.func.functional_call(network, parameters, (inputs,))
    hook.remove()
    return seen[-1]
