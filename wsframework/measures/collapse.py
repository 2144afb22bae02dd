"""Neural collapse: how far penultimate features are from one point a class, at the corners of a simplex.

Papyan, Han and Donoho, Prevalence of neural collapse (arXiv:2008.08186); as a property that weights from a generator
should share with trained ones: Jacot, Súkeník, Wang and Mondelli (arXiv:2410.04887).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

TINY = 1e-12


@dataclass(frozen=True)
class Collapse:
    """Each 0 in full collapse.

    Attributes:
        within: NC1, variability within classes against that between them: trace(S_W pinv(S_B)) / classes.
        norms: NC2, standard deviation over mean of the centred class means' norms.
        angles: NC2, mean over pairs of |cosine of their class means + 1 / (classes - 1)|.
        duality: NC3, distance of the readout's rows, centred over classes, from the class means, both scaled to
            Frobenius norm 1: from 0 to 2.
    """

    within: float
    norms: float
    angles: float
    duality: float


def collapse(features: Tensor, y: Tensor, readout: Tensor) -> Collapse | None:
    """The collapse of one network on one task.

    Arguments:
        features: (points, width), what the last linear layer reads.
        y: class indices (points,).
        readout: the last layer's weight, (all classes, width).

    Returns:
        None where fewer than two classes occur, or where all class means are one.
    """
    classes, index = torch.unique(y, return_inverse=True)
    h, w = features.double(), readout.double()[classes]
    if len(classes) < 2:
        return None
    means = torch.stack([h[index == c].mean(0) for c in range(len(classes))])
    centred = means - means.mean(0)
    size = centred.norm()
    if size <= TINY * h.norm() or not size.isfinite():
        return None
    return Collapse(_within(h - means[index], centred), *_simplex(centred), _duality(w - w.mean(0), centred))


def _within(deviations: Tensor, centred: Tensor) -> float:
    """trace(S_W pinv(S_B)) / C in the span of the C class means: with M = U s V', the sum of var(d V) / s^2."""
    _, s, v = torch.linalg.svd(centred, full_matrices=False)
    kept = s > 1e-6 * s[0]
    spread = (deviations @ v[kept].T).square().mean(0)
    return float((spread / s[kept].square()).sum())


def _simplex(centred: Tensor) -> tuple[float, float]:
    count, norms = len(centred), centred.norm(dim=-1)
    units = centred / norms.clamp_min(TINY).unsqueeze(-1)
    cosines = (units @ units.T)[~torch.eye(count, dtype=torch.bool)]
    return float(norms.std(correction=0) / norms.mean()), float((cosines + 1 / (count - 1)).abs().mean())


def _duality(w: Tensor, centred: Tensor) -> float:
    return float((w / w.norm().clamp_min(TINY) - centred / centred.norm()).norm())
