"""What is known of descriptors over the seen tasks, by which they are standardised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

CONSTANT = 1e-6
"""A feature that varies by less over the seen tasks counts as constant."""


@dataclass(frozen=True, eq=False)
class Statistics:
    """Of each feature its mean, deviation (1 where it is constant), least and largest value: (features,) each."""

    mean: Tensor
    deviation: Tensor
    low: Tensor
    high: Tensor

    @classmethod
    def of(cls, features: Tensor) -> Statistics:
        """Those of features (rows, features), each for itself.

        >>> Statistics.of(torch.tensor([[1.0, 5.0], [3.0, 5.0]])).deviation
        tensor([1., 1.])
        """
        std = features.std(0, correction=0) if features.numel() else features.new_ones(features.shape[1])
        deviation = torch.where(std > CONSTANT, std, torch.ones_like(std))
        return cls(features.mean(0), deviation, features.amin(0), features.amax(0))

    @classmethod
    def joined(cls, parts: Sequence[Statistics]) -> Statistics:
        """Those of the features of all ``parts``, one after the other."""
        return cls(*(torch.cat([getattr(part, field.name) for part in parts]) for field in fields(cls)))

    def standardise(self, features: Tensor) -> Tensor:
        """Features (rows, features) in units of the deviation, from the mean."""
        return (features - self.mean) / self.deviation
