"""Predict how accurate a network is from its weights alone.

Small convolutional networks learn scikit-learn's digits, each with hyper-parameters of its own. Models that see the
weights of some of them, and their accuracies, rank others: statistics of each layer with gradient boosting, the
baseline of the paper; a perceptron on the flat weights; and `wsframework.Regressor`, invariant to the order of
channels. What counts is Kendall's tau on networks that no model has seen.

Source: Unterthiner et al. 2020, "Predicting Neural Network Accuracy from Weights", arXiv:2002.11448.

    python examples/predict_accuracy.py
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.stats import kendalltau
from sklearn.datasets import load_digits
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.model_selection import train_test_split
from torch import Tensor

import wsframework as wsf
from wsframework.randomness import generator
from wsframework.stated import Stated
from wsframework.tasks import OBJECTIVES, Data
from wsframework.training import network_losses, network_outputs

SHAPE = wsf.TaskShape((1, 8, 8), (10,))
BLOCK = 250
BATCH = 32
RESAMPLES = 1000


@dataclass(frozen=True)
class Split:
    """Images x (images, 1, 8, 8) in [0, 1] and digits y (images,), to train on and to test on."""

    x: Tensor
    y: Tensor
    test_x: Tensor
    test_y: Tensor


@dataclass(frozen=True)
class Settings:
    """Hyper-parameters of networks, each (networks,).

    Attributes:
        rate: of Adam.
        steps: of training, minibatches of 32.
        scale: what the initial weights of torch's default are multiplied by.
        decay: decoupled weight decay.
        dropout: the share of pixels that are left out.
        images: how many of the training images are the network's own.
    """

    rate: Tensor
    steps: Tensor
    scale: Tensor
    decay: Tensor
    dropout: Tensor
    images: Tensor

    @classmethod
    def draw(cls, count: int, longest: int, images: int, rng: torch.Generator) -> Settings:
        """Independent for each network: dropout uniform, all others uniform in their logarithm."""

        def between(low: float, high: float) -> Tensor:
            share = torch.rand(count, generator=rng)
            return (math.log(low) + share * math.log(high / low)).exp()

        return cls(
            rate=between(1e-3, 3e-2),
            steps=between(longest / 10, longest).round(),
            scale=between(0.5, 3.0),
            decay=between(1e-4, 0.3),
            dropout=0.5 * torch.rand(count, generator=rng),
            images=between(images / 30, images).floor(),
        )


def digits() -> Split:
    """Three quarters of scikit-learn's digits to train on, the others to test on."""
    x, y = load_digits(return_X_y=True)
    x, test_x, y, test_y = train_test_split(x / 16, y, test_size=0.25, random_state=0, stratify=y)
    images, tests = (torch.tensor(part, dtype=torch.float32).reshape(-1, 1, 8, 8) for part in (x, test_x))
    return Split(images, torch.tensor(y), tests, torch.tensor(test_y))


def build(cnn: wsf.Architecture, split: Split, count: int, longest: int, seed: int) -> tuple[wsf.Weights, Tensor]:
    """``count`` networks with their test accuracies (count,), trained a block at a time."""
    trained, accuracies = [], []
    for start in range(0, count, BLOCK):
        rng = generator(seed, "zoo", start)
        some = min(BLOCK, count - start)
        settings = Settings.draw(some, longest, len(split.x), rng)
        trained.append(train(cnn, split, settings, rng))
        inputs = split.test_x.expand(some, *split.test_x.shape)
        right = network_outputs(cnn, SHAPE, trained[-1], inputs).argmax(-1) == split.test_y
        accuracies.append(right.double().mean(-1))
    return wsf.Weights(cnn.space(SHAPE), torch.cat(trained)), torch.cat(accuracies)


def train(cnn: wsf.Architecture, split: Split, settings: Settings, rng: torch.Generator) -> Tensor:
    """Networks (networks, size) that are trained side by side, each by its own settings.

    A step of Adam is proportional to its rate, so one optimizer at rate 1 proposes steps, and each network takes its
    own share of them: none once it has trained as long as it should.
    """
    count, space = len(settings.rate), cnn.space(SHAPE)
    x = (cnn.initialize(SHAPE, count, rng) * settings.scale[:, None]).requires_grad_()
    own = torch.rand(count, len(split.x), generator=rng).argsort(1)
    optimizer = torch.optim.Adam([x], lr=1.0)
    for step in range(int(settings.steps.max())):
        data = minibatch(split, settings, own, rng)
        losses = network_losses(cnn, SHAPE, space, x, data, OBJECTIVES["classification"])
        (x.grad,) = torch.autograd.grad(losses.sum(), x)
        before, rate = x.detach().clone(), (settings.rate * (step < settings.steps))[:, None]
        optimizer.step()
        x.data = before + rate * (x.data - before - settings.decay[:, None] * before)
    return x.detach()


def minibatch(split: Split, settings: Settings, own: Tensor, rng: torch.Generator) -> Data:
    """Images of each network's own, drawn with replacement, without the pixels that are left out."""
    place = (torch.rand(len(own), BATCH, generator=rng) * settings.images[:, None]).long()
    index = own.gather(1, place)
    dropout = settings.dropout[:, None, None, None, None]
    kept = torch.rand(*index.shape, *SHAPE.inputs, generator=rng) >= dropout
    return Data(split.x[index] * kept / (1 - dropout), split.y[index])


def statistics(weights: wsf.Weights) -> np.ndarray:
    """Mean, deviation, least, quartiles and greatest of each layer's weights and biases: (networks, features)."""
    known = Stated(space=str(weights.space))
    return wsf.load_registry().get("features", "statistics")(known, SHAPE)(weights.x).numpy()


Predict = Callable[[wsf.Weights, Tensor, wsf.Weights], np.ndarray]
"""From networks with their accuracies, and further networks, to the accuracies of these."""


def boosted(seen: wsf.Weights, accuracy: Tensor, unseen: wsf.Weights) -> np.ndarray:
    """The baseline: gradient boosting, as scikit-learn has it, on the statistics of each layer."""
    model = HistGradientBoostingRegressor(random_state=0).fit(statistics(seen), accuracy.numpy())
    return model.predict(statistics(unseen))


def regressor(
    body: str | dict[str, object], epochs: int, augment: str = "none", features: str | None = None
) -> Predict:
    """`wsframework.Regressor` with this body, or with features in its place."""

    def predict(seen: wsf.Weights, accuracy: Tensor, unseen: wsf.Weights) -> np.ndarray:
        return (
            wsf.Regressor(body, features=features, epochs=epochs, augment=augment).fit(seen, accuracy).predict(unseen)
        )

    return predict


def models(epochs: int) -> dict[str, Predict]:
    """All that are compared."""
    flat: dict[str, object] = {"use": "mlp_unet", "width": 256}
    functional: dict[str, object] = {"use": "functional", "width": 16, "blocks": 2}
    return {
        "statistics, boosted": boosted,
        "statistics": regressor("functional", epochs, features="statistics"),
        "flat perceptron": regressor(flat, epochs),
        "flat perceptron, permuted": regressor(flat, epochs, "permutations"),
        "functional": regressor(functional, epochs),
    }


def tau(predicted: np.ndarray, wanted: np.ndarray) -> tuple[float, float, float]:
    """Kendall's tau, and the ends of its 95 % interval by the bootstrap over networks."""
    rng = np.random.default_rng(0)
    draws = (rng.integers(len(wanted), size=len(wanted)) for _ in range(RESAMPLES))
    found = [kendalltau(predicted[some], wanted[some]).statistic for some in draws]
    low, high = np.quantile(found, [0.025, 0.975])
    return float(kendalltau(predicted, wanted).statistic), float(low), float(high)


def main() -> None:
    """Print the comparison, model by model."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--networks", type=int, default=3000, help="a quarter of them are held out")
    parser.add_argument("--steps", type=int, default=500, help="of the networks that train longest")
    parser.add_argument("--epochs", type=int, default=40, help="of the models that read networks")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    cnn = wsf.load_registry().get("architecture", "cnn")(channels=(8, 8))
    weights, accuracy = build(cnn, digits(), options.networks, options.steps, options.seed)
    quartiles = ", ".join(f"{q:.1%}" for q in accuracy.quantile(torch.tensor([0.25, 0.5, 0.75]).double()).tolist())
    print(f"{len(weights)} networks of {weights.space.size} weights; quartiles of their accuracy: {quartiles}")
    held = len(weights) // 4
    seen, unseen = (wsf.Weights(weights.space, x) for x in (weights.x[held:], weights.x[:held]))
    print(f"{'model':26}  {'tau':>5}   95 % interval  processor time")
    for name, predict in models(options.epochs).items():
        start = time.process_time()
        found, low, high = tau(predict(seen, accuracy[held:], unseen), accuracy[:held].numpy())
        print(f"{name:26}  {found:5.3f}  {low:5.3f} to {high:5.3f}  {time.process_time() - start:12.0f} s", flush=True)


if __name__ == "__main__":
    main()
