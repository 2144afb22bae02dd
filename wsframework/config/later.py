"""Keys that came later: at their default, records and fingerprints stay what they were before these keys were there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import Field, asdict, field, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

MARK = "later"
KIND = "kind"


def later(default: Any, kind: str | None = None) -> Any:
    """The field of a section for such a key; ``kind`` is that of the part which it names, if it names one."""
    return field(default=default, metadata={MARK: True, KIND: kind})


def told_fields(section: DataclassInstance) -> Iterator[Field[Any]]:
    """The fields that a record names: all but later ones that have their default."""
    return (f for f in fields(section) if not (f.metadata.get(MARK) and getattr(section, f.name) == f.default))


def record(section: DataclassInstance) -> dict[str, Any]:
    """`dataclasses.asdict`, of those fields."""
    values = asdict(section)
    return {f.name: values[f.name] for f in told_fields(section)}
