"""A set denoiser: neurons are tokens, and a token is a neuron's incoming weights, bias and outgoing weights."""

from __future__ import annotations

from math import prod
from typing import Annotated

import torch
from torch import Tensor, nn

from wsf_equivariant.set_block import Edges, SetBlock
from wsf_equivariant.view import pieces, token_sets
from wsframework.errors import PartError, SpaceError, nearest
from wsframework.parts.embedding import TimeEmbedding
from wsframework.parts.interfaces import Denoiser
from wsframework.parts.values import Least
from wsframework.spaces import WeightSpace


class Deepsets(Denoiser):
    """Residual blocks that treat each layer's neurons as a set, with a context that sees every set's mean.

    Weights with one free axis are channels of their neuron's token; weights between two layers of neurons or more
    are edges, which exchange means and sums with the tokens at all ends; weights with none join the context. A
    neuron within another, as a value of a head is, exchanges with that one, too. Matrices are shared between
    parameters of one role, so that any depth and any width is served.

    Options:
        width: channels of tokens and of the context.
        blocks: residual blocks.
        edge_width: channels of edges (only where layers of neurons meet).
        heads: attention heads between the neurons of one layer; 0 has none.
    """

    name = "deepsets"
    paper = "Zaheer et al. 2017, arXiv:1703.06114; Navon et al. 2023, arXiv:2301.12780"
    symmetry = "equivariant"

    def __init__(
        self,
        space: WeightSpace,
        condition_size: int,
        *,
        width: Annotated[int, Least(2)] = 64,
        blocks: Annotated[int, Least(1)] = 4,
        edge_width: Annotated[int, Least(1)] = 16,
        heads: Annotated[int, Least(0)] = 0,
    ) -> None:
        super().__init__()
        _check_heads(width, heads)
        self.time = TimeEmbedding(width)
        self.condition = nn.Linear(condition_size, width) if condition_size else None
        self.depth = nn.Linear(1, width)
        self.forms = {piece.key: (piece.channels, len(piece.ends)) for piece in pieces(space)}
        self.within = any(found.parent is not None for found in token_sets(space))
        self._checked: set[WeightSpace] = set()
        self._check(space)
        sizes = {k: (channels, edge_width if ends > 1 else width) for k, (channels, ends) in self.forms.items()}
        self.reads = nn.ModuleDict({_module(k): nn.Linear(channels, size) for k, (channels, size) in sizes.items()})
        self.writes = nn.ModuleDict({_module(k): nn.Linear(size, channels) for k, (channels, size) in sizes.items()})
        kinds = {ends for _, ends in self.forms.values()}
        self.blocks = nn.ModuleList(
            SetBlock(
                width,
                edge_width if max(kinds) > 1 else 0,
                heads,
                context=i < blocks - 1 or 0 in kinds,
                ends=max(kinds),
                within=self.within,
            )
            for i in range(blocks)
        )
        self.norms = nn.ModuleDict({_module(k): nn.LayerNorm(size) for k, (_, size) in sizes.items()})

    def forward(self, x_t: Tensor, t: Tensor, condition: Tensor, space: WeightSpace) -> Tensor:
        """x_t (batch, size), t (batch,), condition (batch, condition_size): (batch, size).

        Raises:
            SpaceError: if ``space`` has a role, or fixed axes, that the space of construction had not.
        """
        self._check(space)
        context = self.time(t)
        if self.condition is not None:
            context = context + self.condition(condition)
        sets = token_sets(space)
        tokens = {found.name: self._start(x_t, found.depth, prod(found.sizes)) for found in sets}
        edges: Edges = {}
        for place, piece in enumerate(pieces(space)):
            read = self.reads[_module(piece.key)](x_t[:, piece.index.to(x_t.device)])
            if len(piece.ends) == 0:
                context = context + read
            elif len(piece.ends) == 1:
                (end,) = piece.ends
                tokens[end.tokens] = tokens[end.tokens] + end.mean(read)
            else:
                edges[str(place)] = (piece.ends, read)
        for block in self.blocks:
            tokens, edges, context = block(tokens, edges, context, sets)
        return self._write(x_t, space, tokens, edges, context)

    def _start(self, x_t: Tensor, position: float, size: int) -> Tensor:
        """Tokens that know their layer's relative depth only: (batch, size, width)."""
        return self.depth(x_t.new_full((x_t.shape[0], size, 1), position))  # type: ignore[no-any-return]

    def _write(
        self,
        x_t: Tensor,
        space: WeightSpace,
        tokens: dict[str, Tensor],
        edges: Edges,
        context: Tensor,
    ) -> Tensor:
        out = torch.empty_like(x_t)
        for place, piece in enumerate(pieces(space)):
            if len(piece.ends) == 0:
                features = context
            elif len(piece.ends) == 1:
                (end,) = piece.ends
                features = end.spread(tokens[end.tokens], tuple(piece.index.shape[:-1]))
            else:
                features = edges[str(place)][1]
            key = _module(piece.key)
            out[:, piece.index.to(x_t.device)] = self.writes[key](self.norms[key](features))
        return out

    def _check(self, space: WeightSpace) -> None:
        """Refuse a space with pieces that there are no matrices for."""
        if space in self._checked:
            return
        for piece in pieces(space):
            if piece.key not in self.forms:
                raise SpaceError(f"{self.name}: no matrices for {piece.key!r}{nearest(piece.key, self.forms)}")
            channels, ends = self.forms[piece.key]
            if (piece.channels, len(piece.ends)) != (channels, ends):
                raise SpaceError(
                    f"{self.name}: {piece.key!r} has {piece.channels} entries over {len(piece.ends)} free dims here, "
                    f"and {channels} over {ends} where its matrices were made"
                )
        if not self.within and any(found.parent is not None for found in token_sets(space)):
            raise SpaceError(f"{self.name}: this space has dims within others, for which no matrices were made")
        self._checked.add(space)


def _module(key: str) -> str:
    """The key as a module's name, which has no dots and is no method's."""
    return f"[{key.replace('.', '·')}]"


def _check_heads(width: int, heads: int) -> None:
    if heads and width % heads:
        raise PartError(f"deepsets: heads = {heads} do not share width = {width} evenly")
