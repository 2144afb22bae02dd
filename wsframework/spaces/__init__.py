"""Weight spaces: notation, coordinates, symmetries, orbits, graphs, batches of weights."""

from wsframework.spaces.axis import Axis, Occurrence
from wsframework.spaces.graph import neural_graph
from wsframework.spaces.graph_data import from_data, to_data
from wsframework.spaces.graph_form import EdgeSet, FeatureSet, NeuralGraph
from wsframework.spaces.nodes import NodeKind
from wsframework.spaces.notation import Dim, Parameter
from wsframework.spaces.orbits import Orbits, orbits
from wsframework.spaces.pooling import PooledTokens, pooled_tokens
from wsframework.spaces.space import Block, WeightSpace
from wsframework.spaces.symmetry import Symmetry
from wsframework.spaces.tokens import NeuronTokens, neuron_tokens
from wsframework.spaces.union import prefixed, union
from wsframework.spaces.weights import Weights

__all__ = [
    "Axis",
    "Block",
    "Dim",
    "EdgeSet",
    "FeatureSet",
    "NeuralGraph",
    "NeuronTokens",
    "NodeKind",
    "Occurrence",
    "Orbits",
    "Parameter",
    "PooledTokens",
    "Symmetry",
    "WeightSpace",
    "Weights",
    "from_data",
    "neural_graph",
    "neuron_tokens",
    "orbits",
    "pooled_tokens",
    "prefixed",
    "to_data",
    "union",
]
