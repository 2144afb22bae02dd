"""Facts of any kind as a table of two columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from wsframework.pipeline.report.contents import Table, row
from wsframework.pipeline.report.numbers import number


def facts_table(facts: Mapping[str, Any], columns: tuple[str, str] = ("figure", "value")) -> Table:
    """Any nested mapping of figures and words, one line each; sequences stay in ``scores.json``."""
    return Table(columns, tuple(row(*fact) for fact in _flattened(facts)))


def plain(value: Any) -> str:
    """A value as people write it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return number(value) if isinstance(value, (int, float)) or value is None else str(value)


def _flattened(facts: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    for key, value in facts.items():
        name = f"{path}{key}".replace("_", " ")
        if isinstance(value, Mapping):
            yield from _flattened(value, f"{name}: ")
        elif isinstance(value, (list, tuple)):
            if value and len(value) <= 8 and all(isinstance(v, (int, float, str)) for v in value):
                yield name, ", ".join(plain(v) for v in value)
        else:
            yield name, plain(value)
