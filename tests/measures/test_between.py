"""What lies between networks: a permuted copy is no other network, and draws that agree do not disagree."""

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import REGISTRY, tiny

from wsframework.measures.connection import barriers, nearest_aligned
from wsframework.measures.diversity import disagreement, quotient_distances
from wsframework.pipeline.single import Run
from wsframework.spaces import Symmetry, Weights

RUN = Run(tiny(network__widths=[6]), REGISTRY, Path("nowhere"), "cpu")
TASKS = RUN.judged


def networks(count: int, seed: int) -> Weights:
    g = torch.Generator().manual_seed(seed)
    return Weights(RUN.space, 2 * RUN.architecture.initialize(RUN.family.shape, count, g))


def moved(weights: Weights, seed: int) -> Weights:
    g = torch.Generator().manual_seed(seed)
    rows = [Symmetry.random(RUN.space, generator=g).act(row) for row in weights.x]
    return Weights(RUN.space, torch.stack(rows))


def test_a_permuted_copy_in_the_zoo_is_found_and_has_no_barrier() -> None:
    ours, zoo = networks(len(TASKS), 0), networks(20, 1)
    copies = moved(ours, 2)
    aligned, index = nearest_aligned(ours, Weights(RUN.space, torch.cat([zoo.x, copies.x])))
    assert (index - 20).tolist() == list(range(len(TASKS)))
    assert barriers(RUN.architecture, TASKS, ours, aligned).max() < 1e-5
    assert barriers(RUN.architecture, TASKS, ours, copies).max() > 0.05
    assert quotient_distances(ours, copies).max() < 1e-4 < quotient_distances(ours, networks(len(TASKS), 3)).min()


@settings(deadline=None, max_examples=25)
@given(st.integers(2, 5), st.integers(1, 8), st.booleans(), st.integers(0, 10**6))
def test_disagreement_is_that_of_pairs(count: int, points: int, classes: bool, seed: int) -> None:
    outputs = torch.randn(count, points, 3, generator=torch.Generator().manual_seed(seed))
    pairs = torch.combinations(torch.arange(count))
    one, other = outputs[pairs[:, 0]], outputs[pairs[:, 1]]
    differ = (one.argmax(-1) != other.argmax(-1)).double() if classes else (one - other).square() / 2
    assert disagreement(outputs, classes).item() == pytest.approx(differ.mean().item(), abs=1e-6)
    assert disagreement(outputs[:1].expand(count, -1, -1), classes).item() == pytest.approx(0, abs=1e-9)
