"""A frame of signs: for each neuron a number between -1 and 1 that turns with it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from wsf_equivariant.acting import Acting, acting
from wsframework.errors import SpaceError, nearest
from wsframework.parts.embedding import TimeEmbedding
from wsframework.spaces import WeightSpace, orbits

ROUNDS = 2
"""How often neurons hear of others: once anchors those that nothing but another neuron touches."""
EMBEDDING = 16


class SignFrame(nn.Module):
    """``nu_i = tanh(k(t) z_i)`` for every element i of a signed dim: odd in its sign, even in all others.

    ``z_i`` sums over the weights that the sign of i acts on, each times a factor of its orbit, and times ``nu_j`` for
    every other j whose sign acts on it; ``nu`` is 0 before the first round. So a neuron is first known by its bias and
    by what it takes from inputs, and then by what it exchanges with neurons that are known. Where ``z_i`` is large,
    ``nu_i`` is a sign; where noise leaves it open which sign the neuron has, it is small. So it is smooth, as a choice
    of signs can't be (Dym et al. 2024, arXiv:2402.16077).

    Arguments:
        space: names the orbits.
    """

    def __init__(self, space: WeightSpace) -> None:
        super().__init__()
        self.places = {key: place for place, key in enumerate(orbits(space).keys)}
        self.factors = nn.Parameter(torch.randn(ROUNDS, len(self.places)))
        self.time = TimeEmbedding(EMBEDDING)
        self.told = nn.Linear(EMBEDDING, 2)

    def forward(self, x: Tensor, t: Tensor, space: WeightSpace) -> tuple[Tensor, Tensor]:
        """x (batch, size), t (batch,): the product of ``nu`` at each coordinate (batch, size), and what `told` says
        beside ``log k``, (batch, 1).

        Raises:
            SpaceError: where ``space`` has orbits that the space of construction had not.
        """
        found = acting(space, x.device)
        sharpness, beside = self.told(nn.functional.silu(self.time(t))).chunk(2, dim=-1)
        index = self._index(found)
        nu = x.new_zeros(len(x), found.elements)
        for factors in self.factors:
            nu = torch.tanh(sharpness.exp() * _heard(x * factors[index], nu, found))
        return _at(nu, found).prod(0), beside

    def _index(self, found: Acting) -> Tensor:
        """Which factor each coordinate has, (size,)."""
        for key in found.keys:
            if key not in self.places:
                raise SpaceError(f"no factor for {key!r}{nearest(key, self.places)}")
        return torch.tensor([self.places[key] for key in found.keys], device=found.orbit.device)[found.orbit]


def _heard(y: Tensor, nu: Tensor, found: Acting) -> Tensor:
    """What each element hears of the weights y (batch, size) that it acts on, (batch, elements)."""
    at = _at(nu, found)
    total = nu.new_zeros(len(nu), found.elements + 1)
    for slot, element in enumerate(found.element):
        others = torch.cat([at[:slot], at[slot + 1 :]]).prod(0)
        total = total.index_add(1, element, y * others)
    return total[:, :-1] / found.count.sqrt().to(y)


def _at(nu: Tensor, found: Acting) -> Tensor:
    """``nu`` (batch, elements) of the elements that act on each coordinate, 1 for none: (slots, batch, size)."""
    padded = torch.cat([nu, nu.new_ones(len(nu), 1)], dim=1)
    return padded[:, found.element].transpose(0, 1)
