"""Filling keys from tables: every key checked, every default filled in, every mistake noted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import MISSING as NO_DEFAULT
from dataclasses import Field, fields
from functools import cache
from typing import Any, get_type_hints

from wsframework.config.later import KIND
from wsframework.config.sections import PartConfig
from wsframework.errors import PartError, nearest
from wsframework.parts.options import MISSING, Option, options_of
from wsframework.parts.registry import Registry
from wsframework.parts.values import Unfit, conform, shown


class Filling:
    """Values for keys, and the mistakes met on the way (``mistakes``, one sentence each)."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.mistakes: list[str] = []

    def table(self, value: Any, where: str) -> Mapping[str, Any]:
        """``value`` if it is a table; else a mistake, and an empty table."""
        if isinstance(value, Mapping):
            return value
        self.mistakes.append(f"{where} = {shown(value)}: should be a table, [{where}] with keys below it")
        return {}

    def part(
        self,
        kind: str,
        table: Mapping[str, Any],
        where: str,
        default: str | None = None,
        beside: Iterable[str] = (),
    ) -> PartConfig:
        """The part of ``kind`` that ``table`` names by ``use``, with all its options.

        ``beside`` are keys of the section that are not the part's, worth naming when one is misspelt.
        """
        use = table.get("use", default)
        if not isinstance(use, str):
            state = "is missing" if use is None else f"= {shown(use)}"
            known = ", ".join(sorted(self.registry.parts(kind)))
            self.mistakes.append(f"{where}.use {state}: should be the name of {a(kind)} (known: {known})")
            return PartConfig("")
        options = {name: value for name, value in table.items() if name != "use"}
        return self.options(kind, use, options, where, f"{where}.use = {shown(use)}", ("use", *beside))

    def options(
        self, kind: str, use: str, table: Mapping[str, Any], where: str, asked: str, beside: Iterable[str] = ()
    ) -> PartConfig:
        """The part of ``kind`` called ``use``, with its options from ``table``; ``asked`` tells where it is named."""
        try:
            options = options_of(self.registry.get(kind, use)).values()
        except PartError as error:
            self.mistakes.append(f"{asked}: {error}")
            return PartConfig(use)
        filled = self.keys(options, table, where, f"{kind} {use!r} has no option", beside)
        return PartConfig(use, {name: value for name, value in filled.items() if value is not None})

    def keys(
        self,
        keys: Iterable[Option],
        table: Mapping[str, Any],
        where: str,
        complaint: str = "",
        beside: Iterable[str] = (),
    ) -> dict[str, Any]:
        """A value for each key: from ``table``, or its default; None where there is a mistake."""
        known = {key.name: key for key in keys}
        for name, value in table.items():
            if name not in known:
                reason = f"{complaint or f'[{where}] has no key'} {name!r}{nearest(name, (*known, *beside))}"
                self.mistakes.append(f"{where}.{name} = {shown(value)}: {reason}")
        return {name: self._value(key, table.get(name, MISSING), f"{where}.{name}") for name, key in known.items()}

    def _value(self, key: Option, value: Any, where: str) -> Any:
        if value is MISSING and key.default is MISSING:
            self.mistakes.append(f"{where} is missing: should be {key}")
            return None
        if value is MISSING:
            return key.default if key.kind or key.default is None else conform(key.default, key.annotation)
        return self._nested(key, key.kind, value, where) if key.kind else self._plain(key, value, where)

    def _plain(self, key: Option, value: Any, where: str) -> Any:
        try:
            return conform(value, key.annotation)
        except Unfit as error:
            self.mistakes.append(f"{where} = {shown(value)}: should be {error}")
            return None

    def _nested(self, key: Option, kind: str, value: Any, where: str) -> Any:
        if not key.many:
            return self.part(kind, self.table(_as_table(value), where), where)
        if not isinstance(value, list | tuple):
            self.mistakes.append(f"{where} = {shown(value)}: should be {key}, [[{where}]]")
            return ()
        places = [(f"{where}[{i}]", _as_table(entry)) for i, entry in enumerate(value)]
        return tuple(self.part(kind, self.table(entry, place), place) for place, entry in places)


def a(noun: str) -> str:
    """The noun with its article; a plural has none.

    >>> a("encoder"), a("features")
    ('an encoder', 'features')
    """
    return noun if noun.endswith("s") else f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _as_table(value: Any) -> Any:
    """A nested part that is resolved already, as the table that it was read from."""
    return {"use": value.use, **value.options} if isinstance(value, PartConfig) else value


@cache
def keys_of(section: type) -> tuple[Option, ...]:
    """The fields of a section as keys."""
    hints = get_type_hints(section, include_extras=True)
    return tuple(Option(f.name, hints[f.name], _default(f), f.metadata.get(KIND)) for f in fields(section))


def _default(field: Field[Any]) -> Any:
    return MISSING if field.default is NO_DEFAULT else field.default
