"""Train a network by moving its initial weights about, without changing any of them.

Weights of a perceptron are drawn once. Adam trains a free copy of them; every few steps, and at the end, the
values that were drawn are put back into the order of the free ones: the smallest of a parameter where the
free copy has its smallest. What is trained is thus an element of a group, all permutations of the entries of
each parameter, and the network is what it makes of the one that was drawn. Beside it, the same training
without putting back.

Sources: Qiu, Suda 2020, "Train-by-Reconnect" (lookahead permutation), arXiv:2003.02570;
Cai, Chen, Qiao 2024, "Neural Networks Trained by Weight Permutation are Universal Approximators", arXiv:2407.01033.

    python examples/permutation_training.py
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor
from torch.nn import functional

import wsframework as wsf
from wsframework.randomness import generator

RATE = 0.001

NEURONS = wsf.WeightSpace.parse("""
    free hidden=256
    fixed in=64 out=10
    first.weight   hidden in
    first.bias     hidden
    second.weight  out hidden
    second.bias    out
""")
"""The space of the perceptron. Its group permutes neurons, and leaves the function as it is."""

ENTRIES = wsf.WeightSpace.parse(
    "\n".join(f"free {name.replace('.', '_')}={math.prod(shape)}" for name, shape in NEURONS.shapes.items())
    + "\n"
    + "\n".join(f"{name} {name.replace('.', '_')}" for name in NEURONS.shapes)
)
"""The same coordinates in the same order. The group of this space permutes all entries of each parameter."""


@dataclass(frozen=True)
class Split:
    """Images x (images, 64) in [0, 1] and digits y (images,), to train on and to test on."""

    x: Tensor
    y: Tensor
    test_x: Tensor
    test_y: Tensor


@dataclass(frozen=True)
class Outcome:
    """Test accuracies from one draw of initial weights, and the permutation that was trained.

    Attributes:
        start: the weights that were drawn, (size,).
        element: of the group of `ENTRIES`: what training made of them is ``element.act(start)``.
        initial: accuracy before any step.
        free: after free training.
        permuted: after training by permutations.
        shuffled: after a random element of the same group instead.
    """

    start: Tensor
    element: wsf.Symmetry
    initial: float
    free: float
    permuted: float
    shuffled: float


def digits() -> Split:
    """Three quarters of scikit-learn's digits to train on, the others to test on."""
    x, y = load_digits(return_X_y=True)
    x, test_x, y, test_y = train_test_split(x / 16, y, test_size=0.25, random_state=0, stratify=y)
    images, tests = (torch.tensor(part, dtype=torch.float32) for part in (x, test_x))
    return Split(images, torch.tensor(y), tests, torch.tensor(test_y))


def draw(rng: torch.Generator) -> Tensor:
    """Weights and biases uniform in ``±sqrt(6 / inputs)``, (size,)."""
    bounds = {"first": (6 / 64) ** 0.5, "second": (6 / 256) ** 0.5}
    parameters = {
        name: (2 * torch.rand(shape, generator=rng) - 1) * bounds[name.split(".")[0]]
        for name, shape in NEURONS.shapes.items()
    }
    return NEURONS.flatten(parameters)


def logits(weights: Tensor, x: Tensor) -> Tensor:
    """Weights (size,) and images (images, 64) to (images, 10)."""
    state = NEURONS.unflatten(weights)
    hidden = torch.relu(functional.linear(x, state["first.weight"], state["first.bias"]))
    return functional.linear(hidden, state["second.weight"], state["second.bias"])


def accuracy(weights: Tensor, split: Split) -> float:
    """The share of test images that are told right."""
    return float((logits(weights, split.test_x).argmax(-1) == split.test_y).double().mean())


def ordering(free: Tensor, start: Tensor) -> wsf.Symmetry:
    """The element g for which each parameter of ``g.act(start)`` is ordered as that of ``free``, both (size,)."""
    wanted, given = ENTRIES.unflatten(free), ENTRIES.unflatten(start)
    permutations = {
        name.replace(".", "_"): given[name].argsort(stable=True)[wanted[name].argsort(stable=True).argsort()]
        for name in ENTRIES.shapes
    }
    return wsf.Symmetry(ENTRIES, permutations, {})


def train_freely(start: Tensor, split: Split, rng: torch.Generator, epochs: int) -> Tensor:
    """Adam from ``start`` to other weights, (size,) both."""
    weights = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([weights], lr=RATE)
    for x, y in batches(split, rng, epochs):
        step(optimizer, weights, x, y)
    return weights.detach()


def train_by_permuting(start: Tensor, split: Split, rng: torch.Generator, epochs: int, every: int) -> wsf.Symmetry:
    """Adam on a free copy of ``start`` (size,), which is put back onto a permutation of it every so many steps."""
    weights = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([weights], lr=RATE)
    for count, (x, y) in enumerate(batches(split, rng, epochs), start=1):
        step(optimizer, weights, x, y)
        if count % every == 0:
            weights.data = ordering(weights.data, start).act(start)
    return ordering(weights.data, start)


def step(optimizer: torch.optim.Optimizer, weights: Tensor, x: Tensor, y: Tensor) -> None:
    """One step on the cross-entropy of a minibatch."""
    optimizer.zero_grad()
    functional.cross_entropy(logits(weights, x), y).backward()
    optimizer.step()


def batches(split: Split, rng: torch.Generator, epochs: int, size: int = 32) -> Iterator[tuple[Tensor, Tensor]]:
    """Minibatches of training images, in a new order every epoch."""
    for _ in range(epochs):
        for index in torch.randperm(len(split.x), generator=rng).split(size):
            yield split.x[index], split.y[index]


def compare(split: Split, seed: int, epochs: int, every: int) -> Outcome:
    """Both ways of training, from the same weights and with the same minibatches."""
    start = draw(generator(seed, "initial"))
    free = train_freely(start, split, generator(seed, "batches"), epochs)
    element = train_by_permuting(start, split, generator(seed, "batches"), epochs, every)
    shuffled = ENTRIES.random_symmetry(generator(seed, "shuffled"))
    found = [accuracy(weights, split) for weights in (start, free, element.act(start), shuffled.act(start))]
    return Outcome(start, element, *found)


def change(weights: Tensor, split: Split, rng: torch.Generator) -> float:
    """How much a random permutation of neurons changes any logit of a test image, in float64."""
    weights, x = weights.double(), split.test_x.double()
    moved = NEURONS.random_symmetry(rng).act(weights)
    return float((logits(moved, x) - logits(weights, x)).abs().max())


def main() -> None:
    """Print the comparison, seed by seed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--every", type=int, default=20, help="free steps between two permutations")
    options = parser.parse_args()
    torch.set_num_threads(1)
    split = digits()
    print("seed  initial    free  permuted     gap  shuffled  neurons permuted")
    for seed in range(options.seeds):
        found = compare(split, seed, options.epochs, options.every)
        gap = 100 * (found.free - found.permuted)
        moved = change(found.element.act(found.start), split, generator(seed, "neurons"))
        print(
            f"{seed:4}  {found.initial:7.1%}  {found.free:6.1%}  {found.permuted:8.1%}  {gap:+6.1f}"
            f"  {found.shuffled:8.1%}  logits change by {moved:.0e}"
        )


if __name__ == "__main__":
    main()
