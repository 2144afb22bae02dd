"""Built-in parts that respect permutation symmetry."""

from collections.abc import Iterable

from wsframework.parts.hookspecs import hookimpl
from wsframework.parts.interfaces import Part


@hookimpl
def wsf_parts() -> Iterable[type[Part]]:
    """The set denoiser, that of equivariant linear maps, normalisation, representatives, and invariant features."""
    from wsf_equivariant.canonical import CanonicalForm
    from wsf_equivariant.deepsets import Deepsets
    from wsf_equivariant.functional import Functional
    from wsf_equivariant.normalisation import Layer, Orbit
    from wsf_equivariant.probe import Probe
    from wsf_equivariant.statistics import Statistics

    return [Deepsets, Functional, Orbit, Layer, CanonicalForm, Statistics, Probe]
