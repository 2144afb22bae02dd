"""`Subject`: a part with its options, as the suite tries it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import torch
from hypothesis.strategies import SearchStrategy
from torch import nn

from wsframework.config.building import build
from wsframework.config.filling import Filling
from wsframework.config.sections import PartConfig
from wsframework.errors import PartError
from wsframework.parts.entrypoints import load_registry
from wsframework.parts.interfaces import Part
from wsframework.parts.registry import Registry
from wsframework.spaces import WeightSpace

Module = TypeVar("Module", bound=nn.Module)


@dataclass(frozen=True, eq=False)
class Subject:
    """A part that is on trial.

    Attributes:
        part: its class; it need not be registered.
        options: as a config writes them; what is left out has its default.
        spaces: the weight spaces that it is tried on. None: perceptrons, and spaces of every form.
        examples: how many generated cases each check tries.
        registry: where nested parts, and parts that it is tried with, are looked up (default: every plugin).
    """

    part: type[Part]
    options: Mapping[str, Any] = field(default_factory=dict)
    spaces: SearchStrategy[WeightSpace] | None = None
    examples: int = 12
    registry: Registry | None = None

    def __str__(self) -> str:
        """``name``, or ``name(option=value)``."""
        options = ", ".join(f"{name}={value!r}" for name, value in self.options.items())
        name = getattr(self.part, "name", self.part.__name__)
        return f"{name}({options})" if options else f"{name}"

    def build(self, *given: Any) -> Any:
        """The part, constructed with what the framework gives to its kind.

        Raises:
            WsfError: whatever it says to being built so.
        """
        return build(self.parts, self.part.kind, self.config, *given)

    @cached_property
    def config(self) -> PartConfig:
        """The part with all its options.

        Raises:
            PartError: where an option is unknown, or has a value that does not fit it.
        """
        filling, kind = Filling(self.parts), self.part.kind
        found = filling.options(kind, self.part.name, self.options, self.part.name, f"{kind} {self.part.name!r}")
        if filling.mistakes:
            raise PartError("; ".join(filling.mistakes))
        return found

    @cached_property
    def parts(self) -> Registry:
        """The registry with this part in it, in place of another of its kind and name.

        Raises:
            PartError: if it is no proper part.
        """
        known, registry = self.registry or load_registry(), Registry()
        for plugin, parts in known.plugins.items():
            registry.add_all([p for p in parts if (p.kind, p.name) != (self.part.kind, self.part.name)], plugin)
        registry.add(self.part, "on trial")
        return registry


def randomised(module: Module, generator: torch.Generator) -> Module:
    """``module`` with random parameters, in place: nothing that was initialised to zero or one stays so.

    Matrices are N(0, 1 / fan-in); to vectors and scalars, N(0, 1/4) is added.
    """
    with torch.no_grad():
        for parameter in module.parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if parameter.dim() >= 2:
                parameter.copy_(noise.div_(max(parameter.numel() / len(parameter), 1) ** 0.5))
            else:
                parameter.add_(0.5 * noise)
    return module
