"""What a training step of a mixed zoo learns from: networks of one member at a time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import torch
from torch import Tensor, nn

from wsframework.curriculum import Curriculum
from wsframework.prior import Prior


class Members(nn.ModuleList):
    """The priors of a mixed zoo, which share modules: to be trained, and kept, as one.

    Arguments:
        priors: of the members, on one device.
    """

    def __init__(self, priors: Sequence[Prior]) -> None:
        super().__init__(priors)
        self.priors = tuple(priors)

    @property
    def device(self) -> torch.device:
        """Where they compute."""
        return self.priors[0].device


class Mixture:
    """Draws, for every step, the member whose networks it learns from: each as often as it has networks.

    Arguments:
        curricula: of the members.
        sizes: how many networks each member has.
        generator: the curricula's own.
    """

    def __init__(self, curricula: Sequence[Curriculum], sizes: Sequence[int], generator: torch.Generator) -> None:
        self.curricula, self.generator = curricula, generator
        self.ends = torch.tensor(list(accumulate(sizes)))

    def losses(self) -> tuple[Tensor, Tensor, Tensor]:
        """As `Curriculum.losses`, of the member that is drawn."""
        return self.curricula[self._draw()].losses()

    @property
    def left(self) -> Tensor:
        """What each member's pass has still to come to: how many networks, for each, and then which."""
        counts = torch.tensor([len(curriculum.left) for curriculum in self.curricula])
        return torch.cat([counts, *(curriculum.left for curriculum in self.curricula)])

    @left.setter
    def left(self, kept: Tensor) -> None:
        counts, networks = kept.tensor_split([len(self.curricula)])
        for curriculum, left in zip(self.curricula, networks.tensor_split(counts.cumsum(0)[:-1].tolist()), strict=True):
            curriculum.left = left

    def _draw(self) -> int:
        """The number of the member to which a network belongs that is drawn from all of them."""
        if len(self.curricula) == 1:
            return 0
        network = torch.randint(int(self.ends[-1]), (), generator=self.generator)
        return int(torch.searchsorted(self.ends, network, right=True))
