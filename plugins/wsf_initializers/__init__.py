"""Built-in initializers: everything that turns a task into weights, the prior among its rivals."""

from collections.abc import Iterable

from wsframework.parts.hookspecs import hookimpl
from wsframework.parts.interfaces import Part


@hookimpl
def wsf_parts() -> Iterable[type[Part]]:
    """The initializers of this package."""
    from wsf_initializers.analytic import Analytic
    from wsf_initializers.descriptor import Nearest, Ridge
    from wsf_initializers.pretrained import Pretrained
    from wsf_initializers.prior import Denoising, Flat, Hypernetwork, PriorInitializer, ShuffledPrior
    from wsf_initializers.reptile import Reptile
    from wsf_initializers.search import Search
    from wsf_initializers.undescribed import Mean, Member, Random

    return [
        Random,
        Member,
        Mean,
        Nearest,
        Ridge,
        PriorInitializer,
        ShuffledPrior,
        Search,
        Hypernetwork,
        Denoising,
        Flat,
        Reptile,
        Pretrained,
        Analytic,
    ]
