"""Building parts from configs: options checked, nested parts built first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wsframework.config.filling import Filling
from wsframework.config.sections import PartConfig
from wsframework.errors import PartError
from wsframework.parts.options import GIVEN, options_of
from wsframework.parts.registry import Registry

Named = str | Mapping[str, Any]
"""A part as a config writes it: its name, or a table ``{"use": NAME, option: value}``."""


def as_config(part: Named) -> PartConfig:
    """The part as configs hold it.

    Raises:
        PartError: for a table without ``use``.
    """
    if isinstance(part, str):
        return PartConfig(part)
    if not isinstance(part.get("use"), str):
        raise PartError(f"a part is named by a string, or by a table with 'use' and its options, not {part!r}")
    return PartConfig(part["use"], {name: value for name, value in part.items() if name != "use"})


def build(registry: Registry, kind: str, config: PartConfig, *given: Any) -> Any:
    """The part of ``kind`` that ``config`` names, constructed.

    Arguments:
        given: what the framework gives to parts of this kind (an encoder: its space; a denoiser: its space
            and the size of the condition); a nested part is given what its own kind takes of it.

    Raises:
        PartError: if there is no such part, or an option does not fit it.
    """
    filling = Filling(registry)
    resolved = filling.options(kind, config.use, config.options, kind, f"a {kind} was asked for")
    if filling.mistakes:
        raise PartError("; ".join(filling.mistakes))
    return _build(registry, kind, resolved, dict(zip(GIVEN.get(kind, ()), given, strict=True)))


def _build(registry: Registry, kind: str, config: PartConfig, given: dict[str, Any]) -> Any:
    part: Any = registry.get(kind, config.use)
    options = {name: _ready(registry, part, name, value, given) for name, value in config.options.items()}
    return part(*(given[name] for name in GIVEN.get(kind, ())), **options)


def _ready(registry: Registry, part: Any, name: str, value: Any, given: dict[str, Any]) -> Any:
    """An option's value as the constructor takes it: nested configs as the parts that they name."""
    option = options_of(part)[name]
    if option.kind is None:
        return value
    if option.many:
        return tuple(_build(registry, option.kind, inner, given) for inner in value)
    return _build(registry, option.kind, value, given)
