"""Built-in schedulers."""

from collections.abc import Iterable

from wsframework.parts.hookspecs import hookimpl
from wsframework.parts.interfaces import Part


@hookimpl
def wsf_parts() -> Iterable[type[Part]]:
    """DDPM and DDIM."""
    from wsf_schedulers.discrete import Ddim, Ddpm

    return [Ddpm, Ddim]
