"""`Stated`: an architecture of which nothing but the weight space is known, such as that of imported networks."""

from __future__ import annotations

from typing import cast

from torch import nn

from wsframework.config.building import build
from wsframework.config.sections import PartConfig
from wsframework.errors import RequestError
from wsframework.parts.interfaces import Architecture
from wsframework.parts.registry import Registry
from wsframework.spaces import WeightSpace
from wsframework.tasks import TaskShape


class Stated(Architecture):
    """Networks that are known by their weight space alone.

    Options:
        space: of the networks, in the notation.
    """

    name = "stated"

    def __init__(self, *, space: str = "") -> None:
        self._space = WeightSpace.parse(space)

    def network(self, shape: TaskShape) -> nn.Module:
        """Nothing.

        Raises:
            RequestError: always: the module is the user's own.
        """
        raise RequestError("these networks are known by their weight space alone; load weights into your own module")

    def space(self, shape: TaskShape) -> WeightSpace:
        """The space that was stated."""
        return self._space


def architecture_of(registry: Registry, config: PartConfig) -> Architecture:
    """The architecture that ``config`` names: a part of a plugin, or `Stated`, which is none: it computes nothing.

    Raises:
        PartError: if there is no such part, or an option does not fit it.
    """
    if config.use == Stated.name and Stated.name not in registry.parts("architecture"):
        return Stated(**config.options)
    return cast(Architecture, build(registry, "architecture", config))


def stated(space: WeightSpace) -> PartConfig:
    """What a config says of networks of which only the ``space`` is known."""
    return PartConfig(Stated.name, {"space": str(space)})
