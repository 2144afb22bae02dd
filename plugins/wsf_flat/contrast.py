"""What an autoencoder of networks is trained for: to give them back, to know them again, to have them answer alike."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

TEMPERATURE = 0.1


def contrastive_loss(one: Tensor, other: Tensor) -> Tensor:
    """NT-Xent of two views (batch, features): each network's other view is to be told from all further views.

    Reference: Chen et al. 2020, arXiv:2002.05709.
    """
    views = functional.normalize(torch.cat([one, other]), dim=1)
    likeness = views @ views.mT / TEMPERATURE
    likeness = likeness.masked_fill(torch.eye(len(views), dtype=torch.bool, device=views.device), float("-inf"))
    partner = torch.arange(len(views), device=views.device).roll(len(one))
    return functional.cross_entropy(likeness, partner)


def output_loss(found: Tensor, wanted: Tensor) -> Tensor:
    """Mean squared error of answers (batch, ...) as a share of how much the wanted ones vary."""
    spread = wanted.var(correction=0).clamp(min=1e-6)
    return (found - wanted).square().mean() / spread
