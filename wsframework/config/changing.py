"""Changing keys of a config's tables by their dotted names: what ``--set`` and ``[ablate]`` share."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from wsframework.config.sections import PART_SECTIONS, Config
from wsframework.parts.contract import RESERVED
from wsframework.parts.values import shown


def changed(data: Mapping[str, Any], changes: Mapping[str, Any], mistakes: list[str]) -> dict[str, Any]:
    """A copy of ``data`` with the dotted keys of ``changes`` set.

    Another ``use`` begins the part's table anew, because the options there were those of the former part;
    so keys that end in ``use`` are set first, and of these the outer before the inner.
    """
    result = deepcopy(dict(data))
    for key in sorted(changes, key=lambda key: (not key.endswith(".use"), key.count("."))):
        _set(result, key, changes[key], mistakes)
    return result


def _set(data: dict[str, Any], key: str, value: Any, mistakes: list[str]) -> None:
    *path, last = key.split(".")
    table = data
    for depth, word in enumerate(path, start=1):
        table = table.setdefault(word, {})
        if not isinstance(table, dict):
            place = ".".join(path[:depth])
            told = (
                "one of several tables: change it in the file" if place == "network" else f"{shown(table)}, not a table"
            )
            mistakes.append(f"{key} = {shown(value)}: {place} is {told}")
            return
    if last == "use" and table.get("use", _default(path)) not in (None, value):
        kept = RESERVED["task_family"] if path == ["tasks"] else ()
        for name in [name for name in table if name not in kept]:
            del table[name]
    table[last] = value


def _default(path: list[str]) -> str | None:
    """The part that a section uses where it does not say which."""
    return getattr(Config, path[0]).use if len(path) == 1 and path[0] in PART_SECTIONS else None


def parse_changes(texts: tuple[str, ...], mistakes: list[str]) -> dict[str, Any]:
    """The changes that ``section.key=value`` texts state; a bare word is a string.

    >>> parse_changes(("train.lr=0.1", "denoiser.use=graph"), [])
    {'train.lr': 0.1, 'denoiser.use': 'graph'}
    """
    changes: dict[str, Any] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not all(key.strip().split(".")):
            mistakes.append(f"--set {text!r}: should be section.key=value, such as --set train.lr=0.01")
            continue
        try:
            changes[key.strip()] = parse_value(value.strip())
        except tomllib.TOMLDecodeError as error:
            mistakes.append(f"--set {text!r}: the value is not TOML ({error})")
    return changes


def parse_value(text: str) -> Any:
    """A TOML value, or the text itself where it is a bare word.

    Raises:
        TOMLDecodeError: for a list, table or quoted string that is not well formed.
    """
    try:
        found = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        if text[:1] in tuple("[{\"'"):
            raise
        return text
    return found["value"] if list(found) == ["value"] else text


def leaves(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """The values in nested tables, each with its dotted key."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from leaves(inner, (*path, name))
    else:
        yield ".".join(path), value


def frozen(value: Any) -> Any:
    """Lists as tuples, which configs hold."""
    return tuple(map(frozen, value)) if isinstance(value, list) else value
