"""Built-in parts that respect permutation symmetry."""

from collections.abc import Iterable

from wsframework.parts.hookspecs import hookimpl
from wsframework.parts.interfaces import Part


@hookimpl
def wsf_parts() -> Iterable[type[Part]]:
    """Denoisers of sets and of equivariant linear maps, what makes either gauged, and encoders."""
    from wsf_equivariant.canonical import CanonicalForm
    from wsf_equivariant.deepsets import Deepsets
    from wsf_equivariant.functional import Functional
    from wsf_equivariant.gauged import Gauged
    from wsf_equivariant.normalisation import Layer, Orbit

    return [Deepsets, Functional, Gauged, Orbit, Layer, CanonicalForm]
