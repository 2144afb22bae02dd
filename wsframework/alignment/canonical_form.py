"""`canonical`: one representative for all networks that differ by a symmetry alone."""

from __future__ import annotations

from dataclasses import dataclass

from wsframework.alignment.balance import balance
from wsframework.alignment.keys import ordered
from wsframework.alignment.signs import signed
from wsframework.spaces import Symmetry, Weights


@dataclass(frozen=True, eq=False)
class Canonical:
    """Networks in canonical form.

    Attributes:
        weights: the networks; each computes what it did.
        symmetries: one group element a network, ``symmetries[i].act(original) == canonical``.
    """

    weights: Weights
    symmetries: tuple[Symmetry, ...]


def canonical(weights: Weights) -> Canonical:
    """The same networks, each as the one representative of all that a symmetry makes of it.

    First scales are put in balance: of all those that neurons could have, the ones of least Euclidean norm. Then
    neurons are put in order, by means over the weights that touch them that no symmetry changes; inside each
    outer element where a dim is within another. Then signs are chosen so that sums of weights are non-negative.

    For generic weights ``canonical(g w)`` equals ``canonical(w)`` up to rounding, for every element g of the group.
    Where two keys coincide, or a sum is zero, rounding decides. Networks that lie near each other can have
    canonical forms that do not: to compare networks, `align` them.

    Arguments:
        weights: networks of one space, x (batch, size).

    >>> import torch
    >>> from wsframework.spaces import WeightSpace
    >>> space = WeightSpace.parse("free h:scale=2\\nfixed i=1\\nfirst h^1 i\\nlast i h^-1")
    >>> canonical(Weights(space, torch.tensor([[8.0, 1.0, 2.0, 1.0]]))).weights.x.round(decimals=4).tolist()
    [[1.0, 4.0, 1.0, 4.0]]
    """
    space = weights.space
    scales = balance(space, weights.x)
    order = ordered(space, scales.act(weights.x)) @ scales
    total = signed(space, order.act(weights.x)) @ order
    x = total.act(weights.x)
    return Canonical(Weights(space, x), tuple(total[i] for i in range(len(x))))
