"""Tokens of neurons with everything else pooled: what touches an element, whatever the order of the others."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from einops import rearrange
from torch import Tensor

from wsframework.spaces.nodes import NodeKind, kind_of_dim
from wsframework.spaces.orbits import entry_labels, one_of_each
from wsframework.spaces.space import Block, WeightSpace
from wsframework.spaces.tokens import check_size, touching


@dataclass(frozen=True, eq=False)
class PooledTokens:
    """A token for each element of a dim: summaries of the coordinates that touch it, by orbit.

    Two coordinates that touch an element are pooled if some permutation that keeps the element takes one to
    the other. Positions on fixed dims are kept apart, and so is the diagonal of ``hidden hidden``. A token
    has the mean of each such set, and the mean of its squares. Permuting ``dim``, or the dims that it is
    within, permutes tokens; no permutation of others changes them.

    Attributes:
        space: the weight space.
        elements: which element each token is of; ``elements.moved(g)`` is what g does to tokens.
        keys: a name for each set: role and place as in `neuron_tokens`; in brackets the positions on fixed dims
            other than that of the tokens, and whether repeated free dims coincide (``=``, ``~``).
        coordinate, token, key: of each entry, integers of shape (entries,).
    """

    space: WeightSpace
    elements: NodeKind
    keys: tuple[str, ...]
    coordinate: Tensor
    token: Tensor
    key: Tensor

    def gather(self, x: Tensor) -> Tensor:
        """Coordinates (..., size) to tokens (..., tokens, 2 * keys): the means, and the means of squares.

        0 where a set has no coordinate, as for the off-diagonal of a dim with one element.

        Raises:
            SpaceError: if x has another number of coordinates.
        """
        check_size(self.space, x)
        entries = x[..., self.coordinate.to(x.device)]
        return torch.cat([self._mean(entries), self._mean(entries.square())], dim=-1)

    def _mean(self, entries: Tensor) -> Tensor:
        tokens, keys = self.elements.nodes, len(self.keys)
        cell = (self.token * keys + self.key).to(entries.device)
        total = entries.new_zeros(*entries.shape[:-1], tokens * keys).index_add(-1, cell, entries)
        mean = total / torch.bincount(cell, minlength=tokens * keys).clamp(min=1)
        return rearrange(mean, "... (tokens keys) -> ... tokens keys", tokens=tokens, keys=keys)


@lru_cache(maxsize=64)
def pooled_tokens(space: WeightSpace, dim: str) -> PooledTokens:
    """The pooled tokens of ``dim``, free or fixed.

    >>> space = WeightSpace.parse('''
    ...     free hidden=3
    ...     fixed in=2
    ...     enter  hidden in
    ...     loop   hidden hidden''')
    >>> pooled_tokens(space, "hidden").keys
    ('enter:0[0]', 'enter:0[1]', 'loop:0[~]', 'loop:0[=]', 'loop:1[~]', 'loop:1[=]')

    Raises:
        SpaceError: if the space has no such dim.
    """
    elements = kind_of_dim(space, dim)
    keys: list[str] = []
    rows = [torch.empty(3, 0, dtype=torch.long)]
    for name, block, chain in touching(space, dim):
        names, key = _sets(space, block, chain)
        coordinate = space.block_index(block)
        grids = torch.meshgrid(*(torch.arange(n) for n in coordinate.shape), indexing="ij")
        token = elements.number(grids[place] for place in chain)
        rows.append(torch.stack([coordinate.flatten(), token.flatten(), key + len(keys)]))
        keys += [f"{name}[{label}]" for label in names]
    coordinate, token, key = torch.cat(rows, dim=1)
    return PooledTokens(space, elements, tuple(keys), coordinate, token, key)


def _sets(space: WeightSpace, block: Block, chain: tuple[int, ...]) -> tuple[list[str], Tensor]:
    """Names of the sets in which entries are pooled, and the set of each entry (entries,).

    Entries of an orbit that touch one element are an orbit of the permutations that keep it.
    """
    labels = [label for label in entry_labels(space, block) if not set(label.places) <= set(chain)]
    entry, number = one_of_each(labels)
    names = [",".join(label) for label in zip(*(label.names(entry) for label in labels), strict=True)]
    return names or [""], number.expand(space.block_index(block).numel())
