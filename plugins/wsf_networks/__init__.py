"""Built-in architectures."""

from collections.abc import Iterable

from wsframework.parts.hookspecs import hookimpl
from wsframework.parts.interfaces import Part


@hookimpl
def wsf_parts() -> Iterable[type[Part]]:
    """The multi-layer perceptron."""
    from wsf_networks.mlp import Mlp

    return [Mlp]
