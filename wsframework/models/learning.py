"""The training loop of a model that reads networks."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from wsframework.alignment import augment
from wsframework.allocation import keep_freed_memory
from wsframework.models.given import Batch, Given
from wsframework.models.network import Reader
from wsframework.models.recipe import Recipe
from wsframework.models.targets import Targets
from wsframework.spaces import Weights

WARM = 0.05
"""The share of all steps in which the rate rises."""
CLIP = 1.0
"""The largest norm of a gradient."""


def learn(
    network: Reader,
    given: Given,
    targets: Targets,
    encoded: Tensor,
    recipe: Recipe,
    generator: torch.Generator,
) -> tuple[float, ...]:
    """Train ``network``, in place, to say ``encoded`` (networks, ...); the mean loss of each epoch."""
    keep_freed_memory()
    optimizer = torch.optim.AdamW(network.parameters(), recipe.lr, weight_decay=recipe.weight_decay, fused=True)
    step, steps, losses = 0, recipe.epochs * given.steps(recipe.batch), []
    network.train()
    for _ in range(recipe.epochs):
        total = 0.0
        for batch in given.batches(recipe.batch, generator):
            for group in optimizer.param_groups:
                group["lr"] = recipe.lr * _rate(step / steps)
            x, y = moved(batch, recipe, generator), encoded[batch.places].to(network.standard.mean.device)
            loss = targets.loss(network(x, batch.space), y)
            optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_(network.parameters(), CLIP)
            optimizer.step()
            total, step = total + loss.item() * len(y), step + 1
        losses.append(total / len(given))
    network.eval()
    return tuple(losses)


def moved(batch: Batch, recipe: Recipe, generator: torch.Generator) -> Tensor:
    """The networks of a batch, each moved by a random symmetry of its own where the recipe says so."""
    if recipe.augment == "none":
        return batch.x
    return augment(Weights(batch.space, batch.x), generator, gauge=recipe.augment == "group").x


def _rate(share: float) -> float:
    """The learning rate's factor after a share of all steps: up in a line, then down along half a cosine."""
    return min(1.0, share / WARM + 0.01) * 0.5 * (1 + math.cos(math.pi * share))
