"""The table ``[ablate]``: for each dotted key, the values to try in its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from wsframework.config.changing import changed
from wsframework.parts.values import shown


def ablations(
    data: Mapping[str, Any], mistakes_of: Callable[[Mapping[str, Any]], Sequence[str]], before: Sequence[str]
) -> tuple[dict[str, tuple[Any, ...]], list[str]]:
    """The values to try for each key of ``data["ablate"]``, and what is wrong with them.

    Each value is tried out: ``mistakes_of`` tells the mistakes of the tables with that value in place, and
    those that were not there ``before`` are the ablation's own.
    """
    table = data.get("ablate", {})
    if not isinstance(table, Mapping):
        return {}, [f"ablate = {shown(table)}: should be a table of dotted keys, each with a list of values"]
    found: dict[str, tuple[Any, ...]] = {}
    mistakes: list[str] = []
    for key, values in _leaves(table, ()):
        if not isinstance(values, list | tuple) or not values:
            mistakes.append(f"ablate.{key} = {shown(values)}: should be a list of at least one value for {key}")
            continue
        found[key] = tuple(_frozen(value) for value in values)
        for value in values:
            own: list[str] = []
            own += mistakes_of(changed(data, {key: value}, own))
            mistakes += [f"ablate.{key}: {mistake}" for mistake in own if mistake not in before]
    return found, mistakes


def _leaves(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, (*path, name))
        else:
            yield ".".join((*path, name)), value


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
