"""`mlp_unet`: the denoiser of the paper, an MLP with the shape of a U-Net on the flat vector of weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn import functional

from wsf_flat.layer_sets import LayerSets, layer_sets
from wsframework.errors import PartError, SpaceError
from wsframework.parts.embedding import Film, TimeEmbedding
from wsframework.parts.interfaces import Denoiser
from wsframework.parts.values import Least
from wsframework.spaces import WeightSpace


class ResidualBlock(nn.Module):
    """``h + W_2 silu(W_1 silu(film(norm(h), c)))``, all of one width."""

    def __init__(self, width: int, condition_size: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.film = Film(condition_size, width)
        self.first = nn.Linear(width, width)
        self.second = nn.Linear(width, width)

    def forward(self, h: Tensor, c: Tensor) -> Tensor:
        """h (batch, width), c (batch, condition_size) to (batch, width)."""
        inner = functional.silu(self.film(self.norm(h), c))
        change: Tensor = self.second(functional.silu(self.first(inner)))
        return h + change


class Level(nn.Module):
    """Residual blocks of width ``widths[0]``, the narrower levels behind a skip, and residual blocks again."""

    def __init__(self, widths: Sequence[int], blocks: int, condition_size: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(ResidualBlock(widths[0], condition_size) for _ in range(blocks))
        if len(widths) > 1:
            self.layers.append(Skip(widths, blocks, condition_size))
            self.layers.extend(ResidualBlock(widths[0], condition_size) for _ in range(blocks))

    def forward(self, h: Tensor, c: Tensor) -> Tensor:
        """h (batch, widths[0]), c (batch, condition_size) to (batch, widths[0])."""
        for layer in self.layers:
            h = layer(h, c)
        return h


class Skip(nn.Module):
    """``W_up [inner(W_down h, c), h]``: the narrower levels, with a skip around them."""

    def __init__(self, widths: Sequence[int], blocks: int, condition_size: int) -> None:
        super().__init__()
        self.down = nn.Linear(widths[0], widths[1])
        self.inner = Level(widths[1:], blocks, condition_size)
        self.up = nn.Linear(widths[1] + widths[0], widths[0])

    def forward(self, h: Tensor, c: Tensor) -> Tensor:
        """h (batch, widths[0]), c (batch, condition_size) to (batch, widths[0])."""
        risen: Tensor = self.up(torch.cat([self.inner(self.down(h), c), h], dim=-1))
        return risen


class MlpUnet(Denoiser):
    """MLP U-Net: layer norm and FiLM on time and task in every residual block. Knows nothing of symmetry.

    Arguments:
        space: the one space that it serves.
        condition_size: length of the task embedding; 0 where there is none.
        width: channels of the widest level; each level below has half as many.
        levels: how many widths there are.
        blocks: residual blocks of each level on the way down, and again on the way up.
        embedding: length of the joint embedding of time and task.
        equivariant_modules: passes the layers of identical role and shape through a module that treats
            them as a set, before and after the U-Net.

    Raises:
        PartError: where the narrowest level would have fewer than 2 channels, or ``equivariant_modules`` finds
            no two layers of identical shape.
    """

    name = "mlp_unet"
    paper = "Ronneberger et al. 2015, arXiv:1505.04597; Ho et al. 2020, arXiv:2006.11239"

    def __init__(
        self,
        space: WeightSpace,
        condition_size: int,
        *,
        width: Annotated[int, Least(2)] = 512,
        levels: Annotated[int, Least(1)] = 2,
        blocks: Annotated[int, Least(1)] = 1,
        embedding: Annotated[int, Least(2)] = 128,
        equivariant_modules: bool = False,
    ) -> None:
        super().__init__()
        _check_levels(width, levels)
        self.size = space.size
        self.tau = TimeEmbedding(embedding)
        self.task = _task_embedding(condition_size, embedding)
        self.enter = nn.Linear(space.size, width)
        self.unet = Level([width >> level for level in range(levels)], blocks, embedding)
        self.leave = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, space.size))
        sets = _layer_sets(space) if equivariant_modules else []
        self.before = LayerSets(sets, embedding, rank=max(2, width // 4))
        self.after = LayerSets(sets, embedding, rank=max(2, width // 4))

    def forward(self, x_t: Tensor, t: Tensor, condition: Tensor, space: WeightSpace) -> Tensor:
        """x_t (batch, size), t (batch,), condition (batch, condition_size) to (batch, size).

        Raises:
            SpaceError: where ``space`` is of another size than the space that it was built for.
        """
        if space.size != self.size:
            raise SpaceError(
                f"mlp_unet was built for {self.size} coordinates, and this space has {space.size}; "
                "a denoiser such as 'deepsets' or 'graph' serves several sizes"
            )
        c = self.tau(t) if self.task is None else self.tau(t) + self.task(condition)
        out: Tensor = self.after(self.leave(self.unet(self.enter(self.before(x_t, c)), c)), c)
        return out


def _task_embedding(condition_size: int, embedding: int) -> nn.Module | None:
    if condition_size == 0:
        return None
    return nn.Sequential(nn.Linear(condition_size, embedding), nn.SiLU(), nn.Linear(embedding, embedding))


def _check_levels(width: int, levels: int) -> None:
    if width >> (levels - 1) < 2:
        raise PartError(
            f"mlp_unet: width = {width} halved {levels - 1} times leaves fewer than 2 channels; "
            f"{levels} levels need a width of at least {2**levels}"
        )


def _layer_sets(space: WeightSpace) -> list[Tensor]:
    found = layer_sets(space)
    if not found:
        shapes = ", ".join(f"{p.role} {'x'.join(map(str, space.shapes[p.name]))}" for p in space.parameters)
        raise PartError(
            "mlp_unet: equivariant_modules = true asks for layers of identical role and shape, and this space "
            f"has no two of them ({shapes}); leave the option away"
        )
    return found
