"""How several networks for one task differ: in what they say, and in where they lie once symmetries are taken out."""

from __future__ import annotations

import torch
from torch import Tensor

from wsframework.alignment import align, canonical
from wsframework.spaces import Weights


def disagreement(outputs: Tensor, classes: bool) -> Tensor:
    """How much networks differ in their answers, over all pairs of them and all points.

    Arguments:
        outputs: (networks, points, *outputs), of at least two networks.
        classes: whether the last axis is one of classes.

    Returns:
        a number: for classes, the share of answers in which two networks differ; else half the mean squared
        difference of two answers, which is their variance.
    """
    count = len(outputs)
    if not classes:
        return outputs.var(0).mean()
    said = outputs.argmax(-1)
    votes = torch.nn.functional.one_hot(said, outputs.shape[-1]).sum(0).double()
    alike = (votes * (votes - 1)).sum(-1) / (count * (count - 1))
    return 1 - alike.mean()


def quotient_distances(a: Weights, b: Weights) -> Tensor:
    """Distance of each network of a from the one of b in its row, after alignment, scales in balance: (networks,).

    An upper bound of the least over the symmetries, as `quotient_distance` says; here pair by pair.
    """
    ours, theirs = canonical(a).weights, canonical(b).weights
    return align(ours, theirs).distances.after
