"""Where networks are wrong: answers of a module with one set of weights after the other, beside labels."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from wsframework.audit.auditing import Overlap
from wsframework.audit.overlap import largest_overlap
from wsframework.errors import RequestError
from wsframework.spaces import Weights


@torch.no_grad()
def wrong(module: nn.Module, weights: Weights, x: Tensor, y: Tensor) -> Tensor:
    """Where each network's class is not the label: (networks, points) of truth values.

    Arguments:
        module: whose last axis of outputs is of classes; its own weights are left as they are.
        x: inputs (points, ...).
        y: labels (points, ...).

    Raises:
        RequestError: where the module can't read the inputs, or answers in another shape than the labels'.
    """
    found = []
    for state in weights:
        try:
            outputs = torch.func.functional_call(module, state, (x,))
        except Exception as error:  # of whatever class the module's own are
            raise RequestError(f"the network can't read the inputs: {type(error).__name__}: {error}") from None
        if not isinstance(outputs, Tensor) or outputs.shape[:-1] != y.shape:
            shape = tuple(outputs.shape) if isinstance(outputs, Tensor) else type(outputs).__name__
            raise RequestError(
                f"labels have shape {tuple(y.shape)}, and the network's answers {shape}; classes are last"
            )
        found.append((outputs.argmax(-1) != y).flatten())
    return torch.stack(found)


def overlaps(module: nn.Module, zoo: Weights, x: Tensor, y: Tensor) -> Overlap:
    """What `audit` asks for the overlap of mistakes on ``x`` and ``y`` with those of the zoo's networks."""
    module.eval()
    theirs = wrong(module, zoo, x, y)

    def overlap(networks: Tensor, own: Tensor | None) -> Tensor:
        mine = wrong(module, Weights(zoo.space, networks), x, y) if own is None else theirs[own]
        return largest_overlap(mine, theirs, own)

    return overlap
