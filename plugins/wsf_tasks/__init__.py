"""Built-in task families."""

from collections.abc import Iterable

from wsframework.parts.hookspecs import hookimpl
from wsframework.parts.interfaces import Part


@hookimpl
def wsf_parts() -> Iterable[type[Part]]:
    """The task families of this package."""
    from wsf_tasks.digits import Digits
    from wsf_tasks.dynamics import Dynamics
    from wsf_tasks.gaussians import Gaussians
    from wsf_tasks.glyphs import Glyphs
    from wsf_tasks.images import Images
    from wsf_tasks.markov import Markov
    from wsf_tasks.mnist import Mnist
    from wsf_tasks.mnist1d import Mnist1d
    from wsf_tasks.sequences import Sequences
    from wsf_tasks.shapes import Shapes
    from wsf_tasks.sinusoids import Sinusoids
    from wsf_tasks.tabular import Tabular

    return [Gaussians, Sinusoids, Digits, Mnist, Mnist1d, Tabular, Sequences, Markov, Images, Dynamics, Shapes, Glyphs]
