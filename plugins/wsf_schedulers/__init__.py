"""Built-in schedulers."""

from collections.abc import Iterable

from wsframework.parts.hookspecs import hookimpl
from wsframework.parts.interfaces import Part


@hookimpl
def wsf_parts() -> Iterable[type[Part]]:
    """DDPM, DDIM and DPM-Solver++ over one process; flow matching; EDM."""
    from wsf_schedulers.discrete import Ddim, Ddpm
    from wsf_schedulers.dpm_solver import DpmSolver
    from wsf_schedulers.edm import Edm
    from wsf_schedulers.flow import Flow

    return [Ddpm, Ddim, DpmSolver, Flow, Edm]
