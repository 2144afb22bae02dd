"""The registry: which parts there are, by kind and name, and which plugins are broken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from wsframework.errors import PartError, nearest
from wsframework.parts.contract import faults
from wsframework.parts.interfaces import INTERFACES, Part


class Registry:
    """Parts by kind and name.

    Attributes:
        broken: for each plugin that could not be loaded, its name and a sentence that says why.
        plugins: for each plugin that was, its parts.
    """

    def __init__(self) -> None:
        self.broken: dict[str, str] = {}
        self.plugins: dict[str, tuple[type[Part], ...]] = {}
        self._parts: dict[str, dict[str, type[Part]]] = {kind: {} for kind in INTERFACES}

    def add(self, part: type[Part], plugin: str) -> None:
        """Register one part in the name of ``plugin``.

        Raises:
            PartError: if it is no proper part, or another part of its kind has its name.
        """
        self.add_all([part], plugin)

    def add_all(self, parts: Iterable[type[Part]], plugin: str) -> None:
        """Register the parts of ``plugin``: all of them, or, where one has a fault, none.

        Raises:
            PartError: naming every part that can't be registered, and why.
        """
        parts = tuple(parts)
        found = [sentence for i, part in enumerate(parts) for sentence in self._faults(part, parts[:i])]
        if found:
            raise PartError("; ".join(found))
        for part in parts:
            self._parts[part.kind][part.name] = part
        self.plugins[plugin] = (*self.plugins.get(plugin, ()), *parts)

    def _faults(self, part: type[Part], before: tuple[type[Part], ...]) -> Iterator[str]:
        clauses = faults(part)
        if clauses:
            yield f"part {getattr(part, '__qualname__', part)!s}: {', '.join(clauses)}"
        elif part.name in self._parts[part.kind]:
            other = self.plugin_of(self._parts[part.kind][part.name])
            yield f"part {part.__qualname__}: plugin {other!r} has a {part.kind} {part.name!r} already"
        elif any((p.kind, p.name) == (part.kind, part.name) for p in before if not faults(p)):
            yield f"part {part.__qualname__}: the plugin has two {part.kind}s called {part.name!r}"

    def get(self, kind: str, name: str) -> type[Part]:
        """The part of ``kind`` called ``name``.

        Raises:
            PartError: if there is none, with the nearest name, and with the plugins that are broken.
        """
        parts = self.parts(kind)
        if name not in parts:
            raise PartError(f"there is no {kind} {name!r}{nearest(name, parts)}{self._broken_clause()}")
        return parts[name]

    def parts(self, kind: str) -> dict[str, type[Part]]:
        """The parts of ``kind``, by name.

        Raises:
            PartError: if there is no such kind.
        """
        if kind not in self._parts:
            raise PartError(f"{kind!r} is no kind of part{nearest(kind, self._parts)}")
        return dict(self._parts[kind])

    def all(self) -> tuple[type[Part], ...]:
        """Every part, kind by kind."""
        return tuple(part for parts in self._parts.values() for part in parts.values())

    def plugin_of(self, part: type[Part]) -> str:
        """The name of the plugin that registered ``part``.

        Raises:
            PartError: if none did.
        """
        for plugin, parts in self.plugins.items():
            if part in parts:
                return plugin
        raise PartError(f"no plugin has registered {part.__qualname__}")

    def _broken_clause(self) -> str:
        if not self.broken:
            return ""
        names = ", ".join(map(repr, self.broken))
        return f" (and no parts came from the broken plugins {names}: `wsf plugins` says why)"
