"""Samples for every operator that has a rule, family by family."""

from samples import (
    attention,
    contraction,
    convolution,
    elementwise,
    lookup,
    movement,
    normalisation,
    positional,
    recurrence,
    reduction,
)
from samples.sample import SAMPLES, Draw, Given, Known, Moved, Sample

__all__ = [
    "SAMPLES",
    "Draw",
    "Given",
    "Known",
    "Moved",
    "Sample",
    "attention",
    "contraction",
    "convolution",
    "elementwise",
    "lookup",
    "movement",
    "normalisation",
    "positional",
    "recurrence",
    "reduction",
]
