"""Who samples: the scheduler of ``[sample]``, which has from ``[scheduler]`` what it does not say itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wsframework.config.sections import PartConfig
from wsframework.parts.options import options_of
from wsframework.parts.registry import Registry


def inheriting(table: Mapping[str, Any], trained: PartConfig, registry: Registry) -> dict[str, Any]:
    """The table of a scheduler that samples, with ``use`` and those options of the ``trained`` one that it has too."""
    use = table.get("use", trained.use)
    known = registry.parts("scheduler")
    options = options_of(known[use]) if isinstance(use, str) and use in known else {}
    return {"use": use, **{name: value for name, value in trained.options.items() if name in options}, **table}


def sample_table(table: Mapping[str, Any], trained: PartConfig, registry: Registry) -> Mapping[str, Any]:
    """The table ``[sample]``, where it has a scheduler with all that this inherits."""
    inner = table.get("scheduler")
    if not isinstance(inner, Mapping):
        return table
    return {**table, "scheduler": inheriting(inner, trained, registry)}
