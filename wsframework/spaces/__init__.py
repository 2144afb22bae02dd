"""Weight spaces: notation, coordinates, symmetries, orbits, batches of weights."""

from wsframework.spaces.notation import Axis, Dim, Occurrence, Parameter
from wsframework.spaces.orbits import Orbits, orbits
from wsframework.spaces.space import Block, WeightSpace
from wsframework.spaces.symmetry import Symmetry
from wsframework.spaces.weights import Weights

__all__ = ["Axis", "Block", "Dim", "Occurrence", "Orbits", "Parameter", "Symmetry", "WeightSpace", "Weights", "orbits"]
