"""`z_u`: the rank test of data copying of Meehan et al."""

from __future__ import annotations

import numpy as np
from scipy import stats
from torch import Tensor


def z_u(samples: Tensor, others: Tensor) -> float:
    """How the distances of samples to the training set rank among those of others that were not trained on.

    The Mann-Whitney statistic in units of its standard deviation: about standard normal where both are drawn alike,
    far below 0 where samples lie too near (Meehan et al. 2020, arXiv:2004.05675).

    Arguments:
        samples: distances of each sample to its nearest training point, (samples,).
        others: the same of points that were not trained on, (others,).

    >>> import torch
    >>> round(z_u(torch.zeros(20), torch.ones(20)), 2), z_u(torch.zeros(3), torch.zeros(4))
    (-5.41, 0.0)
    """
    n, m = len(samples), len(others)
    ranks = stats.rankdata(np.concatenate([samples.numpy(), others.numpy()]))
    u = ranks[:n].sum() - n * (n + 1) / 2
    return float((u - n * m / 2) / np.sqrt(n * m * (n + m + 1) / 12))
