"""Alignment: networks in the place of one another, and what follows from that."""

from wsframework.alignment.activation_matching import match_activations
from wsframework.alignment.augmentation import augment, mix_up
from wsframework.alignment.bringing import Alignment, Distances
from wsframework.alignment.canonical_form import Canonical, canonical
from wsframework.alignment.distance import quotient_distance
from wsframework.alignment.interpolation import Barrier, barrier
from wsframework.alignment.matching import align

__all__ = [
    "Alignment",
    "Barrier",
    "Canonical",
    "Distances",
    "align",
    "augment",
    "barrier",
    "canonical",
    "match_activations",
    "mix_up",
    "quotient_distance",
]
