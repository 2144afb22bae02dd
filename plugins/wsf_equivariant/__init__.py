"""Built-in parts that respect permutation symmetry."""

from collections.abc import Iterable

from wsframework.parts.hookspecs import hookimpl
from wsframework.parts.interfaces import Part


@hookimpl
def wsf_parts() -> Iterable[type[Part]]:
    """Denoisers of sets and of equivariant linear maps, gauges, guidance, encoders, and invariant features."""
    from wsf_equivariant.canonical import CanonicalForm
    from wsf_equivariant.deepsets import Deepsets
    from wsf_equivariant.functional import Functional
    from wsf_equivariant.gauged import Gauged
    from wsf_equivariant.guided import Guided
    from wsf_equivariant.normalisation import Layer, Orbit
    from wsf_equivariant.probe import Probe
    from wsf_equivariant.statistics import Statistics

    return [Deepsets, Functional, Gauged, Guided, Orbit, Layer, CanonicalForm, Statistics, Probe]
