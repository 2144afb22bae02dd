"""Calibration: whether a network is right as often as it says that it is."""

from __future__ import annotations

import torch
from torch import Tensor

BINS = 15
"""Of confidence, equally wide, as in Guo et al., On Calibration of Modern Neural Networks (arXiv:1706.04599)."""


def reliability(p: Tensor, y: Tensor, bins: int = BINS) -> Tensor:
    """Sums over points by confidence, the largest probability: how many, their confidence, and how many are right.

    Sums of several networks or tasks add up to those of all their points together.

    Arguments:
        p: probabilities (..., points, classes).
        y: class indices (..., points).

    Returns:
        (..., bins, 3), float64.
    """
    confidence, said = p.double().max(-1)
    place = (confidence * bins).long().clamp(0, bins - 1)
    told = torch.stack([torch.ones_like(confidence), confidence, (said == y).double()], -1)
    sums = told.new_zeros(*told.shape[:-2], bins, 3)
    return sums.scatter_add(-2, place.unsqueeze(-1).expand(*place.shape, 3), told)


def calibration_error(sums: Tensor) -> Tensor:
    """Expected calibration error: the mean over points of |share right - mean confidence| in the point's bin.

    Arguments:
        sums: as `reliability` gives them, (..., bins, 3).

    Returns:
        (...), 0 where every bin is right as often as it says.

    >>> p = torch.tensor([[0.75, 0.25]] * 4)
    >>> calibration_error(reliability(p, torch.tensor([0, 0, 0, 1]))).item()
    0.0
    """
    count, confidence, right = sums.unbind(-1)
    return (right - confidence).abs().sum(-1) / count.sum(-1)


def chance_error(sums: Tensor) -> Tensor:
    """About what `calibration_error` is of as many independent points that are perfectly calibrated: (...).

    In a bin of n points with mean confidence c, right - confidence then is nearly normal with variance n c (1 - c).
    """
    count, confidence, _ = sums.unbind(-1)
    share = confidence / count.clamp_min(1)
    return (2 / torch.pi * count * share * (1 - share)).sqrt().sum(-1) / count.sum(-1)


def overconfidence(sums: Tensor) -> Tensor:
    """Mean confidence less the share of points that are right: (...), above 0 where networks promise too much."""
    count, confidence, right = sums.sum(-2).unbind(-1)
    return (confidence - right) / count
