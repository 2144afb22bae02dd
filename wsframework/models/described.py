"""`Described`: what a model has to know, to describe networks by features."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, cast

from wsframework.config.building import build
from wsframework.config.sections import PartConfig
from wsframework.errors import RequestError, SpaceError
from wsframework.models.given import Given
from wsframework.models.network import DescribedNetwork
from wsframework.models.recipe import Recipe
from wsframework.parts.interfaces import Features
from wsframework.parts.registry import Registry
from wsframework.spaces import WeightSpace
from wsframework.stated import architecture_of, stated
from wsframework.tasks import TaskShape

UNKNOWN = TaskShape((), ())
"""Of the tasks of networks that come without any."""


@dataclass(frozen=True)
class Described:
    """Features, and the networks that they describe.

    Attributes:
        features: the part.
        network: the architecture; None where networks are known by their space alone.
        shape: of the networks' tasks, where it is known.
    """

    features: PartConfig
    network: PartConfig | None
    shape: TaskShape = UNKNOWN

    @classmethod
    def restored(cls, kept: dict[str, Any]) -> Described:
        """From what `asdict` made of it, as JSON keeps it."""
        network = PartConfig(**kept["network"]) if kept["network"] else None
        shape = kept["shape"]
        known = TaskShape(tuple(shape["inputs"]), tuple(shape["outputs"]), shape["code"])
        return cls(PartConfig(**kept["features"]), network, known)

    def kept(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return asdict(self)

    def seeing(self, given: Given) -> Described:
        """The same, with the shape of the tasks that are given.

        Raises:
            RequestError: where it is needed, and there are no tasks.
        """
        if given.tasks:
            return replace(self, shape=given.tasks[0].shape)
        if self.network is not None:
            raise RequestError(
                f"network = {self.network.use!r} is built for the shape of the networks' tasks: fit the model to a "
                "wsframework.Zoo, which has tasks"
            )
        return self

    def reader(
        self, spaces: tuple[WeightSpace, ...], outputs: int, recipe: Recipe, registry: Registry
    ) -> DescribedNetwork:
        """An untrained network that reads features.

        Raises:
            SpaceError: where there are several spaces, or networks are not what the architecture builds.
            PartError: where there are no such features, or they need what is not known of the networks.
        """
        if len(spaces) > 1:
            raise SpaceError(
                "features describe networks of one space; here are several, which an equivariant body reads"
            )
        architecture = architecture_of(registry, self.network or stated(spaces[0]))
        if architecture.space(self.shape) != spaces[0]:
            raise SpaceError(
                f"these networks are not what network = {architecture.name!r} builds; name the one they were"
            )
        features = cast(Features, build(registry, "features", self.features, architecture, self.shape))
        return DescribedNetwork(features, spaces[0], outputs, recipe)
