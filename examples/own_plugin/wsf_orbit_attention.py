"""The denoiser `orbit-attention`: orbits attend to one another, weights listen to their own orbit."""

from collections.abc import Iterable
from typing import Annotated

import torch
from torch import Tensor, nn

from wsframework import Denoiser, Part, WeightSpace
from wsframework.errors import SpaceError
from wsframework.parts.embedding import TimeEmbedding
from wsframework.parts.hookspecs import hookimpl
from wsframework.parts.values import Least
from wsframework.spaces import orbits


class OrbitAttention(Denoiser):
    """A transformer over one token an orbit, made of its mean, its mean square, the time and the task.

    No permutation changes a token, so that ``f(x)_i = net(x_i, token of i's orbit)`` is equivariant.

    Options:
        heads: of the attention, each of 8 channels.
        layers: of the transformer.
    """

    name = "orbit-attention"
    symmetry = "equivariant"
    paper = "Vaswani et al. 2017, arXiv:1706.03762"

    def __init__(
        self,
        space: WeightSpace,
        condition_size: int,
        *,
        heads: Annotated[int, Least(1)] = 4,
        layers: Annotated[int, Least(1)] = 2,
    ) -> None:
        super().__init__()
        width, self.keys = 8 * heads, orbits(space).keys
        self.time = TimeEmbedding(width)
        self.token = nn.Linear(2 + condition_size, width)
        self.place = nn.Parameter(torch.randn(len(self.keys), width))
        layer = nn.TransformerEncoderLayer(width, heads, 2 * width, dropout=0.0, batch_first=True, norm_first=True)
        self.attend = nn.TransformerEncoder(layer, layers, nn.LayerNorm(width), enable_nested_tensor=False)
        self.write = nn.Sequential(nn.Linear(1 + width, width), nn.SiLU(), nn.Linear(width, 1))

    def forward(self, x_t: Tensor, t: Tensor, condition: Tensor, space: WeightSpace) -> Tensor:
        """x_t (batch, size), t (batch,) and condition (batch, condition_size) to (batch, size)."""
        if orbits(space).keys != self.keys:
            raise SpaceError(f"{self.name}: this space has other orbits than the one it was built for")
        index = orbits(space).index.to(x_t.device)
        number = torch.bincount(index, minlength=len(self.keys)).to(x_t)
        sums = x_t.new_zeros(2, len(x_t), len(number)).index_add(2, index, torch.stack([x_t, x_t.square()]))
        told = condition.unsqueeze(1).expand(-1, len(number), -1)
        tokens = self.token(torch.cat([(sums / number).movedim(0, -1), told], -1)) + self.place
        tokens = self.attend(tokens + self.time(t).unsqueeze(1))
        out: Tensor = self.write(torch.cat([x_t.unsqueeze(-1), tokens[:, index]], -1)).squeeze(-1)
        return out


@hookimpl
def wsf_parts() -> Iterable[type[Part]]:
    """The denoiser."""
    return [OrbitAttention]
