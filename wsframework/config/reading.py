"""Reading a config: TOML to frozen dataclasses, every mistake of a file at once, before any work starts."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wsframework.config.changing import changed, parse_changes
from wsframework.config.resolving import resolve
from wsframework.config.sections import Config
from wsframework.config.writing import to_tables
from wsframework.errors import ConfigError, nearest_file
from wsframework.parts.registry import Registry


def read_config(path: str | Path, registry: Registry, overrides: Sequence[str] = (), seed: int | None = None) -> Config:
    """The config in the TOML file ``path``, with every default filled in.

    Arguments:
        registry: the parts that it may use; their constructors say which options there are.
        overrides: changes such as ``"train.lr=0.01"``.
        seed: replaces the file's seed.

    Raises:
        ConfigError: with one sentence for each mistake of the file and of the overrides.
    """
    path = Path(path)
    mistakes: list[str] = []
    changes = parse_changes(tuple(overrides), mistakes)
    if seed is not None:
        changes["seed"] = seed
    data = changed({"name": path.stem, **_tables(path)}, changes, mistakes)
    return _resolved(str(path), data, registry, mistakes)


def override(config: Config, registry: Registry, changes: Mapping[str, Any]) -> Config:
    """``config`` with some dotted keys changed (``{"denoiser.use": "graph"}``), as ``--set`` does.

    Another ``use`` starts from the defaults of the new part.

    Raises:
        ConfigError: with one sentence for each mistake.
    """
    mistakes: list[str] = []
    data = changed(to_tables(config), changes, mistakes)
    return _resolved(f"{config.name} with {', '.join(changes)} changed", data, registry, mistakes)


def _resolved(source: str, data: Mapping[str, Any], registry: Registry, mistakes: list[str]) -> Config:
    config, further = resolve(data, registry)
    if config is None or mistakes:
        raise ConfigError(source, [*mistakes, *further])
    return config


def _tables(path: Path) -> dict[str, Any]:
    """The file's tables.

    Raises:
        ConfigError: if there is no such file, or it is not TOML.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(str(path), [f"there is no such file{nearest_file(path, '.toml')}"]) from None
    except UnicodeDecodeError as error:
        raise ConfigError(str(path), [f"the file is not UTF-8 text ({error.reason} at byte {error.start})"]) from None
    except OSError as error:
        raise ConfigError(str(path), [f"the file can't be read: {error.strerror}"]) from None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(str(path), [f"this is not TOML: {_with_line(str(error), text)}"]) from None


def _with_line(message: str, text: str) -> str:
    """The parser's message, with the words of the line that it names."""
    match = re.search(r"at line (\d+)", message)
    lines = text.splitlines()
    if match is None or int(match[1]) > len(lines):
        return message
    return f"{message}, which reads {lines[int(match[1]) - 1].strip()!r}"
