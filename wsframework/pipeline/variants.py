"""The grid of an ablation: every combination of the values and of the named variants that ``[ablate]`` lists."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from wsframework.config.reading import override
from wsframework.config.sections import Ablation, Config
from wsframework.errors import ConfigError, RequestError, nearest
from wsframework.parts.registry import Registry


@dataclass(frozen=True)
class Variant:
    """One combination.

    Attributes:
        labels: what it has on each axis, for people: a variant's name, or a value.
        config: with its changes made, and no ablation of its own.
        folder: the name of its run's folder.
    """

    labels: Mapping[str, str]
    config: Config
    folder: str

    @property
    def name(self) -> str:
        """All of its labels."""
        return ", ".join(self.labels.values())


def variants(config: Config, registry: Registry, only: Sequence[str] = ()) -> list[Variant]:
    """The product of the axes of ``config.ablate``, the last axis fastest; its first is what others are compared with.

    Arguments:
        only: names of variants; the others are left out.

    Raises:
        ConfigError: where a combination is no valid config, or two of them can't be told apart.
        RequestError: where ``only`` names something else.
    """
    choices = {axis: list(_choices(axis, values)) for axis, values in config.ablate.items()}
    found = []
    for combination in product(*choices.values()):
        labels = {axis: label for axis, (label, _) in zip(choices, combination, strict=True)}
        folder = "_".join(_folder_name(label) for label in labels.values())
        changes = _together(config, labels, [changes for _, changes in combination])
        changed = override(replace(config, ablate={}), registry, {**changes, "name": folder})
        found.append(Variant(labels, changed, folder))
    _check_distinct(config, found)
    return [v for v in found if v.name in only] if _known(only, found) else found


def _choices(axis: str, values: Ablation) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The label and the changes of each value or variant of an axis."""
    if isinstance(values, Mapping):
        yield from values.items()
        return
    for value in values:
        yield f"{axis.removesuffix('.use')} = {value}", {axis: value}


def _together(config: Config, labels: Mapping[str, str], parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """All changes of a combination, if no two of them are of the same key."""
    keys = [key for part in parts for key in part]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        told = " and ".join(f"ablate.{axis} ({label!r})" for axis, label in labels.items())
        raise ConfigError(config.name, [f"{told}: more than one of them sets {key}" for key in twice])
    return {key: value for part in parts for key, value in part.items()}


def _folder_name(label: str) -> str:
    return re.sub(r"[^\w.-]+", "-", label).strip("-.") or "variant"


def _check_distinct(config: Config, found: Sequence[Variant]) -> None:
    folders = [v.folder for v in found]
    mistakes = [
        f"ablate: {v.name!r} and another variant would share the folder {v.folder!r}; give them other names"
        for v in {v.folder: v for v in found if folders.count(v.folder) > 1}.values()
    ]
    if mistakes:
        raise ConfigError(config.name, mistakes)


def _known(only: Sequence[str], found: Sequence[Variant]) -> bool:
    """Whether there is a choice to make.

    Raises:
        RequestError: for a name that no variant has.
    """
    names = [v.name for v in found]
    for name in only:
        if name not in names:
            raise RequestError(f"this ablation has no variant {name!r}{nearest(name, names)}")
    return bool(only)
