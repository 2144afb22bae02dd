"""Fine-tuning curves with known properties, for the tests of evaluation and report."""

from __future__ import annotations

import torch

from wsframework.pipeline.curves import Curves

PER_EPOCH = 5


def curves_from(name: str, step_loss: torch.Tensor, metric: torch.Tensor | None = None) -> Curves:
    """Curves whose support loss after every step is step_loss (tasks, draws, epochs * PER_EPOCH + 1)."""
    loss = step_loss[..., ::PER_EPOCH]
    steps = tuple(range(step_loss.shape[-1]))
    accuracy = 0.5 + 0.5 * torch.exp(-loss) if metric is None else metric
    return Curves(name, loss, 1.1 * loss, accuracy, (loss[..., 1:] + loss[..., :-1]) / 2, step_loss, steps)


def falling(name: str, start: float, seed: int, tasks: int = 40, draws: int = 2, epochs: int = 6) -> Curves:
    """Losses that fall tenfold from ``start``; tasks differ in difficulty alike for every name, draws by noise."""
    difficulty = torch.randn(tasks, 1, 1, generator=torch.Generator().manual_seed(99))
    noise = 0.1 * torch.randn(tasks, draws, epochs * PER_EPOCH + 1, generator=torch.Generator().manual_seed(seed))
    k = torch.linspace(0, 1, epochs * PER_EPOCH + 1)
    return curves_from(name, start * torch.exp(difficulty + noise - 2.3 * k))
