"""Digits: the images, training on them, and the loss on images held back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.nn import functional

from wsframework.randomness import generator


@dataclass(frozen=True)
class Digits:
    """Images (points, 1, 8, 8) and classes (points,) of scikit-learn's digits, split once."""

    x: Tensor
    y: Tensor
    test_x: Tensor
    test_y: Tensor


def load() -> Digits:
    """The images, three quarters of them for training."""
    images, classes = load_digits(return_X_y=True)
    x, test_x, y, test_y = train_test_split(images / 16, classes, test_size=0.25, stratify=classes, random_state=0)
    pictures = [torch.tensor(some, dtype=torch.float32).reshape(-1, 1, 8, 8) for some in (x, test_x)]
    return Digits(pictures[0], torch.tensor(y), pictures[1], torch.tensor(test_y))


def train(network: nn.Module, digits: Digits, epochs: int, random: torch.Generator) -> nn.Module:
    """Adam at 1e-3 on minibatches of 64, with cosine decay."""
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, fused=True)
    steps = epochs * -(-len(digits.x) // 64)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(steps, 1))
    for _ in range(epochs):
        for rows in torch.split(torch.randperm(len(digits.x), generator=random), 64):
            optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(functional.cross_entropy(network(digits.x[rows]), digits.y[rows]))
            optimizer.step()
            schedule.step()
    return network.eval()


def trained(make: Callable[[], nn.Module], digits: Digits, epochs: int, seed: int) -> nn.Module:
    """A network of ``seed``: its initialisation, and the order of its minibatches."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = make()
    return train(network, digits, epochs, generator(seed, "minibatches"))


def loss_on_test(network: nn.Module, digits: Digits) -> Callable[[dict[str, Tensor]], Tensor]:
    """The mean loss of a state dict on the test images; statistics of normalisation come from all training images."""

    @torch.no_grad()
    def loss(state: dict[str, Tensor]) -> Tensor:
        network.load_state_dict(state)
        norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
        if norms:
            for norm in norms:
                norm.reset_running_stats()
                norm.momentum = None  # the plain mean over the minibatches that follow
            network.train()(digits.x)
        return functional.cross_entropy(network.eval()(digits.test_x), digits.test_y)

    return loss
