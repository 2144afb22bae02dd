"""`sane`: an encoder that is trained, a transformer over tokens of weights."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import torch
from einops import rearrange
from torch import Tensor, nn

from wsf_flat.autoencoder import TokenAutoencoder
from wsf_flat.chunks import Chunks, chunks
from wsf_flat.contrast import contrastive_loss, output_loss
from wsframework.alignment import augment
from wsframework.errors import PartError
from wsframework.parts.interfaces import Answers, WeightEncoder
from wsframework.parts.values import Least
from wsframework.spaces import Weights, WeightSpace, orbits

PROJECTED = 32
"""Length of what the contrastive loss compares."""


class Sane(WeightEncoder):
    """An autoencoder over tokens: chunks of neurons' weights, in units of their orbits, each made `channels` short.

    Two views of every network, moved by random symmetries, are to be given back, and to be known as one among the
    others; and decoded networks are to answer as they did, where it is known what networks compute. Attention is of
    all tokens to all. Tokens know their place, so that no symmetry is claimed. Every latent is standardised over the
    zoo. What is trained starts from the principal directions of each role's tokens, and goes on from there.

    Options:
        chunk: weights of a token.
        channels: latents of a token.
        width: channels of the transformers.
        blocks: rounds of attention in each of the two.
        heads: attention heads; they share the width evenly.
        steps: of Adam, each with `batch` networks.
        batch: networks a step.
        lr: the rate at first; it falls to zero along half a cosine.
        contrast: weight of the contrastive loss beside that of what is given back, which is 1.
        output: weight of the loss of answers.
        augment: what moves the two views: nothing, permutations, or the whole group, with signs and scales.
        seed: of initial parameters, minibatches and symmetries.
    """

    name = "sane"
    paper = "Schuerholt et al. 2024, arXiv:2406.09997"
    lossless = False
    mean: Tensor
    std: Tensor
    center: Tensor
    spread: Tensor

    def __init__(
        self,
        space: WeightSpace,
        *,
        chunk: Annotated[int, Least(1)] = 32,
        channels: Annotated[int, Least(1)] = 8,
        width: Annotated[int, Least(2)] = 64,
        blocks: Annotated[int, Least(1)] = 2,
        heads: Annotated[int, Least(1)] = 4,
        steps: Annotated[int, Least(1)] = 2000,
        batch: Annotated[int, Least(2)] = 32,
        lr: Annotated[float, Least(0, strict=True)] = 1e-3,
        contrast: Annotated[float, Least(0)] = 0.05,
        output: Annotated[float, Least(0)] = 1.0,
        augment: Literal["none", "permutations", "group"] = "permutations",
        seed: Annotated[int, Least(0)] = 0,
    ) -> None:
        super().__init__()
        if width % heads:
            raise PartError(f"sane: heads = {heads} do not share width = {width} evenly")
        self.chunk, self.form = chunk, (channels, width, blocks, heads)
        self.steps, self.batch, self.lr, self.seed = steps, batch, lr, seed
        self.contrast, self.output, self.augment = contrast, output, augment
        self.network = TokenAutoencoder(chunks(space, chunk, torch.device("cpu")), *self.form).requires_grad_(False)
        self.tokens = len(self.network.encoder.place)
        for name, size in (("mean", space.size), ("center", self.tokens * channels)):
            self.register_buffer(name, torch.zeros(size))
        for name, size in (("std", space.size), ("spread", self.tokens * channels)):
            self.register_buffer(name, torch.ones(size))

    def fit(self, x: Tensor, space: WeightSpace) -> None:
        """Train on networks x (networks, size), to give them back and to know them again."""
        self._fit(x, space, None)

    def fit_to(self, x: Tensor, space: WeightSpace, answers: Answers) -> None:
        """Train on networks x (networks, size), to have them answer as they did, too."""
        self._fit(x, space, answers if self.output else None)

    def encode(self, x: Tensor, space: WeightSpace) -> Tensor:
        """Weights (..., size) to latents (..., tokens * channels), token by token."""
        latents = self._encoded(x.reshape(-1, space.size), space)
        return ((latents - self.center) / self.spread).reshape(*x.shape[:-1], -1)

    def decode(self, z: Tensor, space: WeightSpace) -> Tensor:
        """Latents (..., tokens * channels) to weights (..., size)."""
        latents = z.reshape(-1, z.shape[-1]) * self.spread + self.center
        return self._decoded(latents, space).reshape(*z.shape[:-1], -1)

    def latent(self, space: WeightSpace) -> WeightSpace:
        """Two fixed dims: tokens, and channels of each."""
        return WeightSpace.parse(f"fixed token={self.tokens} channel={self.form[0]}\nlatent token channel")

    def _encoded(self, x: Tensor, space: WeightSpace) -> Tensor:
        found = chunks(space, self.chunk, x.device)
        return self.network.encode(self._entries(x, found), found.role).flatten(1)

    def _decoded(self, latents: Tensor, space: WeightSpace) -> Tensor:
        found = chunks(space, self.chunk, latents.device)
        tokens = rearrange(latents, "batch (n c) -> batch n c", n=self.tokens)
        out = latents.new_zeros(len(latents), space.size + 1)
        out[:, found.index] = self.network.decode(tokens, found.role)
        return out[:, :-1] * self.std + self.mean

    def _entries(self, x: Tensor, found: Chunks) -> Tensor:
        """Networks (batch, size), in units of their orbits, as tokens (batch, tokens, length)."""
        return nn.functional.pad((x - self.mean) / self.std, (0, 1))[:, found.index]

    def _fit(self, x: Tensor, space: WeightSpace, answers: Answers | None) -> None:
        of, found = orbits(space), chunks(space, self.chunk, x.device)
        index = of.index.to(x.device)
        self.mean.copy_(of.mean(x)[index])
        self.std.copy_(_scale(of.std(x), of.mean(x))[index])
        with torch.random.fork_rng(devices=[]), torch.enable_grad():
            torch.manual_seed(self.seed)
            fresh = TokenAutoencoder(chunks(space, self.chunk, torch.device("cpu")), *self.form)
            self.network.load_state_dict(fresh.state_dict())
            self.network.find_axes(self._entries(x, found), found.role)
            self._train(x, space, answers)
        with torch.no_grad():
            latents = torch.cat([self._encoded(rows, space) for rows in torch.split(x, 256)])
        self.center.copy_(latents.mean(0))
        self.spread.copy_(_scale(latents.std(0, correction=0), latents.mean(0)))

    def _train(self, x: Tensor, space: WeightSpace, answers: Answers | None) -> None:
        generator = torch.Generator().manual_seed(self.seed)
        project = nn.Sequential(nn.Linear(len(self.center), 64), nn.SiLU(), nn.Linear(64, PROJECTED)).to(x)
        parameters = [*self.network.requires_grad_(True).parameters(), *project.parameters()]
        optimizer = torch.optim.Adam(parameters, self.lr)
        for step in range(self.steps):
            optimizer.param_groups[0]["lr"] = self.lr * 0.5 * (1 + math.cos(math.pi * step / self.steps))
            chosen = torch.randint(len(x), (self.batch,), generator=generator).to(x.device)
            loss = self._loss(x[chosen], space, answers, project, generator)
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
        self.network.requires_grad_(False)

    def _loss(
        self, x: Tensor, space: WeightSpace, answers: Answers | None, project: nn.Module, generator: torch.Generator
    ) -> Tensor:
        """The three terms, on two views of networks x (batch, size)."""
        views = [self._moved(x, space, generator) for _ in range(2)]
        latents = [self._encoded(view, space) for view in views]
        again = [self._decoded(z, space) for z in latents]
        errors = [((found - view) / self.std).square().mean() for found, view in zip(again, views, strict=True)]
        loss = (errors[0] + errors[1]) / 2 + self.contrast * contrastive_loss(*map(project, latents))
        if answers is not None:
            loss = loss + self.output * output_loss(answers(again[0]), answers(x))
        return loss

    def _moved(self, x: Tensor, space: WeightSpace, generator: torch.Generator) -> Tensor:
        if self.augment == "none":
            return x
        return augment(Weights(space, x), generator, gauge=self.augment == "group").x


def _scale(std: Tensor, mean: Tensor) -> Tensor:
    """Deviations to divide by; what varies by rounding only is left unscaled."""
    return torch.where(std > 1e-6 * (1e-3 + mean.abs()), std, torch.ones_like(std))
