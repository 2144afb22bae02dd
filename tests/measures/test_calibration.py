"""Calibration error is that of chance where networks say what is so, and the gap where they promise more."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wsframework.measures.calibration import calibration_error, chance_error, overconfidence, reliability


def answers(points: int, classes: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Probabilities, and labels that are drawn with them."""
    g = torch.Generator().manual_seed(seed)
    p = (2 * torch.randn(points, classes, generator=g)).softmax(-1)
    return p, torch.multinomial(p, 1, generator=g).squeeze(-1)


@pytest.mark.parametrize("classes", [2, 10])
def test_a_calibrated_predictor_has_an_error_of_chance_alone(classes: int) -> None:
    sums = torch.stack([reliability(*answers(4000, classes, seed)) for seed in range(20)])
    errors, expected = calibration_error(sums), chance_error(sums)
    assert errors.mean().item() == pytest.approx(expected.mean().item(), rel=0.15)
    assert calibration_error(sums.sum(0)) < 0.01
    assert overconfidence(sums.sum(0)).abs() < 0.01


def test_one_that_promises_more_is_told_by_how_much() -> None:
    p, y = answers(50_000, 3, 0)
    bold = (3 * p.log()).softmax(-1)
    sums = reliability(bold, y)
    gap = (bold.max(-1).values - p.max(-1).values).mean().item()
    assert gap > 0.1
    assert overconfidence(sums).item() == pytest.approx(gap, abs=0.01)
    assert calibration_error(sums).item() == pytest.approx(gap, abs=0.01)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6), st.integers(1, 40), st.integers(2, 6))
def test_sums_of_parts_are_those_of_the_whole(seed: int, points: int, classes: int) -> None:
    p, y = answers(2 * points, classes, seed)
    parts = reliability(p.unflatten(0, (2, points)), y.unflatten(0, (2, points)))
    torch.testing.assert_close(parts.sum(0), reliability(p, y))
    whole = reliability(p, y)
    assert whole[..., 0].sum() == 2 * points
    assert overconfidence(whole).abs() - 1e-9 <= calibration_error(whole) <= 1


def test_certainty_counts_in_the_last_bin() -> None:
    sums = reliability(torch.tensor([[1.0, 0.0]]), torch.tensor([1]))
    assert sums[-1].tolist() == [1, 1, 0]
    assert calibration_error(sums) == 1
