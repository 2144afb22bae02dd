"""`canonical`: an encoder that first gives every network the place of one representative."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from wsframework.alignment import align
from wsframework.alignment.balance import balance
from wsframework.alignment.keys import ordered
from wsframework.alignment.signs import signed
from wsframework.parts.interfaces import Answers, WeightEncoder
from wsframework.spaces import Weights, WeightSpace


class CanonicalForm(WeightEncoder):
    """Moves each network by a symmetry to where a representative of it is, and encodes that.

    What a denoiser would have to learn of gauges and orders is taken away before it sees weights. Decoding gives the
    representative: other weights, the same function. Moves are not differentiated; decoding is.

    Options:
        scales: scales of neurons are put in balance (of least norm), where the space has such gauges.
        signs: signs of neurons are chosen so that sums of weights are not negative, where the space has such gauges.
        neurons: keep leaves them in their places, order sorts them by what they are, align matches each network to
            the zoo's first one.
        inner: the encoder of what comes out; none leaves weights as they are.
    """

    name = "canonical"
    paper = "Ainsworth et al. 2023, arXiv:2209.04836 (alignment)"
    reference: Tensor

    def __init__(
        self,
        space: WeightSpace,
        *,
        scales: bool = True,
        signs: bool = True,
        neurons: Literal["keep", "order", "align"] = "keep",
        inner: WeightEncoder | None = None,
    ) -> None:
        super().__init__()
        self.scales, self.signs, self.neurons, self.inner = scales, signs, neurons, inner
        self.lossless = inner is None or inner.lossless
        self.register_buffer("reference", torch.zeros(space.size if neurons == "align" else 0))

    def fit(self, x: Tensor, space: WeightSpace) -> None:
        """Take the zoo's first network for a reference, if networks are to be aligned, and fit the inner encoder."""
        self._refer(x, space)
        if self.inner is not None:
            self.inner.fit(self._moved(x, space), space)

    def fit_to(self, x: Tensor, space: WeightSpace, answers: Answers) -> None:
        """The same, and the inner encoder is told what networks compute: moving one does not change that."""
        self._refer(x, space)
        if self.inner is not None:
            self.inner.fit_to(self._moved(x, space), space, answers)

    def _refer(self, x: Tensor, space: WeightSpace) -> None:
        if self.neurons == "align":
            self.reference.copy_(self._gauged(x[:1], space)[0])

    def encode(self, x: Tensor, space: WeightSpace) -> Tensor:
        """The representatives of x (..., size), encoded: (..., latent size)."""
        moved = self._moved(x.reshape(-1, space.size), space).reshape(x.shape)
        return moved if self.inner is None else self.inner.encode(moved, space)

    def decode(self, z: Tensor, space: WeightSpace) -> Tensor:
        """Latents (..., latent size) to weights: networks at the representatives' places."""
        return z.clone() if self.inner is None else self.inner.decode(z, space)

    def latent(self, space: WeightSpace) -> WeightSpace:
        """What the inner encoder makes of it; without one, the space itself."""
        return space if self.inner is None else self.inner.latent(space)

    @torch.no_grad()
    def _moved(self, x: Tensor, space: WeightSpace) -> Tensor:
        """Networks (batch, size) at the places of their representatives."""
        x = self._gauged(x, space)
        if self.neurons == "order":
            return self._signed(ordered(space, x).act(x), space)
        if self.neurons == "align":
            goal = Weights(space, self.reference.to(x).unsqueeze(0))
            return align(Weights(space, x), goal).weights.x.to(x)
        return x

    def _gauged(self, x: Tensor, space: WeightSpace) -> Tensor:
        if self.scales:
            x = balance(space, x).act(x)
        return self._signed(x, space)

    def _signed(self, x: Tensor, space: WeightSpace) -> Tensor:
        return signed(space, x).act(x) if self.signs else x
