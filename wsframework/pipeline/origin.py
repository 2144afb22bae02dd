"""Where parts come from: a digest of their source, so that no result outlives the code that made it."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from wsframework.config.sections import PartConfig
from wsframework.parts.interfaces import Part
from wsframework.parts.options import options_of
from wsframework.parts.registry import Registry

OWN = "wsframework"
"""The package whose version stands for its source."""


def origin(registry: Registry, kind: str, config: PartConfig) -> list[str]:
    """A digest for the source of the part that ``config`` names, then those of the parts within it.

    It covers every file of the part's top-level package or module, and of those of its base classes.
    """
    part = registry.get(kind, config.use)
    modules = {c.__module__.partition(".")[0] for c in part.__mro__ if issubclass(c, Part)} - {OWN}
    own = hashlib.sha256("".join(map(source_digest, sorted(modules))).encode()).hexdigest()
    return [own, *(digest for kind, inner in _nested(part, config) for digest in origin(registry, kind, inner))]


def _nested(part: type[Part], config: PartConfig) -> Iterator[tuple[str, PartConfig]]:
    """The kinds and configs of the parts among the options."""
    for name, option in options_of(part).items():
        value = config.options.get(name)
        if option.kind is not None and value:
            yield from ((option.kind, inner) for inner in (value if option.many else [value]))


@cache
def source_digest(module: str) -> str:
    """Of all Python files of the top-level package or module, as they are when a process first asks; "" if it has none.

    Later edits are not what this process has imported.
    """
    found = sys.modules.get(module)
    folders = [Path(folder) for folder in getattr(found, "__path__", [])]
    files = {str(path.relative_to(folder)): path for folder in folders for path in folder.rglob("*.py")}
    if not folders and getattr(found, "__file__", None):
        files = {"": Path(str(getattr(found, "__file__", None)))}
    if not files:
        return ""
    digest = hashlib.sha256(module.encode())
    for name, path in sorted(files.items()):
        digest.update(f"\0{name}\0".encode() + path.read_bytes())
    return digest.hexdigest()
