"""What alignment is worth and what it costs: loss barriers before and after it, and a zoo aligned to one network."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from wsframework.alignment import Alignment, align, barrier, match_activations
from wsframework.benchmarks import Row, Table
from wsframework.benchmarks.alignment.digits import Digits, load, loss_on_test, trained
from wsframework.benchmarks.alignment.networks import Residual, perceptron, space_of
from wsframework.benchmarks.alignment.zoo import zoo_rows
from wsframework.device import one_thread
from wsframework.errors import RequestError
from wsframework.randomness import generator
from wsframework.spaces import Weights

POINTS = 25
IMAGES = 512
"""Training images on which activations are compared."""


def run(*, networks: int = 1000, epochs: int = 30, channels: Sequence[int] = (32, 64), width: int = 512) -> Table:
    """Barriers between networks trained apart on digits, and ``networks`` perceptrons aligned to one of them.

    Two networks of each kind have initialisations and orders of minibatches of their own. The barrier is that of
    the test loss, at 25 points of the line, as the networks come, after weight matching and after activation matching
    on 512 training images. Residual networks, one pair for each number of ``channels``, have batch normalisation: at
    every point of the line its statistics are computed anew from the training images, as interpolated ones belong to
    no network (the simplest form of REPAIR, arXiv:2211.08403). Losses of all kinds are of the same images.

    Raises:
        RequestError: if ``networks`` is less than 2.
    """
    if networks < 2:
        raise RequestError(f"a zoo of {networks} networks can't be aligned to one of them; it has at least 2")
    with one_thread():
        digits = load()
        rows = [
            *_barriers(digits, f"perceptrons 64-{width}-{width}-{width}-10", lambda: perceptron(width, 3), epochs),
            *_barriers(digits, "perceptrons 64-64-64-10", lambda: perceptron(64, 2), epochs),
        ]
        for count in channels:
            name = f"residual networks, {count} channels"
            rows += _barriers(digits, name, lambda count=count: Residual(count), epochs // 2)  # type: ignore[misc]
        rows += zoo_rows(digits, networks)
    return Table(f"alignment: digits, Adam, {epochs} epochs; 1 thread, torch {torch.__version__}", tuple(rows))


def _barriers(digits: Digits, name: str, make: Callable[[], nn.Module], epochs: int) -> list[Row]:
    """The barrier between two networks as they come, and after alignment by weights and by activations."""
    a, b = (trained(make, digits, epochs, seed) for seed in (0, 1))
    loss = loss_on_test(copy.deepcopy(a), digits)
    theirs = Weights.from_state_dicts(space_of(a), [b.state_dict()])
    trainable = [name for name, _ in a.named_parameters()]
    before = barrier(loss, a.state_dict(), b.state_dict(), POINTS)
    ends = f"test loss at the ends {before.losses[0]:.3f} and {before.losses[-1]:.3f}, in the middle"
    rows = [Row(f"barrier, {name}, as they come", before.height, "nats", note=f"{ends} {_middle(before.losses):.3f}")]
    ways: dict[str, Callable[[], Alignment]] = {
        "weights": lambda: align(theirs, a.state_dict(), generator=generator(0, "order"), compare=trainable),
        "activations": lambda: match_activations(a, theirs, a.state_dict(), digits.x[:IMAGES]),
    }
    for way, match in ways.items():
        start = time.process_time()
        found = match()
        seconds = time.process_time() - start
        after = barrier(loss, a.state_dict(), found.weights[0], POINTS)
        rows.append(
            Row(
                f"barrier, {name}, aligned by {way}",
                after.height,
                "nats",
                "as they come",
                after.height / before.height if before.height else None,
                f"in the middle {_middle(after.losses):.3f}; aligned in {seconds:.2g} s of processor time",
            )
        )
    return rows


def _middle(losses: Tensor) -> float:
    return losses[len(losses) // 2].item()
