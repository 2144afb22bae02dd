"""Built-in parts that see a network as a graph of its neurons."""

from collections.abc import Iterable

from wsframework.parts.hookspecs import hookimpl
from wsframework.parts.interfaces import Part


@hookimpl
def wsf_parts() -> Iterable[type[Part]]:
    """The parts of this plugin."""
    from wsf_graph.denoiser import GraphDenoiser

    return [GraphDenoiser]
