"""`gauged`: a denoiser that turns with the signs of neurons, and with their scales, made of any other one."""

from __future__ import annotations

import torch
from torch import Tensor

from wsf_equivariant.acting import signed
from wsf_equivariant.frame import SignFrame
from wsf_equivariant.functional import Functional
from wsframework.alignment.balance import balance
from wsframework.alignment.symmetries import Symmetries
from wsframework.parts.interfaces import Claim, Denoiser
from wsframework.spaces import WeightSpace

STEADY = 1e-14
"""Change of a log-scale below which scales are in balance: little more than rounding in float64."""


class Gauged(Denoiser):
    """Another denoiser, equivariant to signs and scales of neurons too, as far as the space has them.

    Signs: ``nu f(nu x_t) + (1 - nu^2) a(t) x_t``, where nu is a product of numbers between -1 and 1, one of each
    neuron that the weight touches, which turn with the neuron's sign and are sure of it where weights stand out from
    the noise. Scales: f sees networks in balance, and its answer is brought back; Gaussian noise has no such symmetry,
    so that this is for models that read networks, and priors take the encoder `canonical`. Whatever f claims of
    permutations is kept. Its channels are those of f: no sign and no scale changes them.

    Options:
        signs: whether it is equivariant to signs.
        scales: whether it is equivariant to scales.
        inner: f; none takes `functional`.
    """

    name = "gauged"
    paper = "Kalogeropoulos et al. 2024, arXiv:2406.10685; Dym et al. 2024, arXiv:2402.16077"
    symmetry: Claim | None = "equivariant"
    gauges = ("sign",)

    def __init__(
        self,
        space: WeightSpace,
        condition_size: int,
        *,
        signs: bool = True,
        scales: bool = False,
        inner: Denoiser | None = None,
    ) -> None:
        super().__init__()
        self.inner = Functional(space, condition_size) if inner is None else inner
        self.symmetry = self.inner.symmetry
        self.gauges = (*(("sign",) if signs else ()), *(("scale",) if scales else ()))
        self.frame = SignFrame(space) if signs and signed(space) else None

    def forward(self, x_t: Tensor, t: Tensor, condition: Tensor, space: WeightSpace) -> Tensor:
        """x_t (batch, size), t (batch,), condition (batch, condition_size) to (batch, size).

        Raises:
            SpaceError: where the inner denoiser, or the frame of signs, doesn't serve ``space``.
        """
        scale = self._scale(x_t, space)
        x = x_t * scale
        if self.frame is None:
            answer: Tensor = self.inner(x, t, condition, space)
        else:
            nu, beside = self.frame(x, t, space)
            answer = nu * self.inner(nu * x, t, condition, space) + (1 - nu.square()) * beside * x
        return answer / scale

    def channels(self, x_t: Tensor, t: Tensor, condition: Tensor, space: WeightSpace) -> Tensor:
        """What the inner one holds of the weights that it sees, (batch, size, channels)."""
        x = x_t * self._scale(x_t, space)
        seen = x if self.frame is None else x * self.frame(x, t, space)[0]
        return self.inner.channels(seen, t, condition, space)

    @torch.no_grad()
    def _scale(self, x: Tensor, space: WeightSpace) -> Tensor:
        """What brings each coordinate of x (batch, size) to balance, of the same shape; 1 where scales stay."""
        if "scale" not in self.gauges or not any(dim.gauge == "scale" for dim in space.dims):
            return x.new_ones(1)
        found = balance(space, x.cpu(), STEADY)
        ones = torch.ones(x.shape, dtype=torch.float64)
        return Symmetries(space, {}, found.factors, len(x)).act(ones).to(x)
