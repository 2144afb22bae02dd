"""Alignment: networks in the place of one another, and what follows from that."""

from wsframework.alignment.augmentation import augment, mix_up
from wsframework.alignment.canonical_form import Canonical, canonical
from wsframework.alignment.distance import quotient_distance
from wsframework.alignment.interpolation import Barrier, barrier
from wsframework.alignment.matching import Alignment, Distances, align

__all__ = [
    "Alignment",
    "Barrier",
    "Canonical",
    "Distances",
    "align",
    "augment",
    "barrier",
    "canonical",
    "mix_up",
    "quotient_distance",
]
