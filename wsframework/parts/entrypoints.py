"""Loading plugins: entry point by entry point, so that a broken one is named and the others go on working."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType

import pluggy

from wsframework.errors import PartError
from wsframework.parts import hookspecs
from wsframework.parts.interfaces import Part
from wsframework.parts.registry import Registry

GROUP = hookspecs.PROJECT


def load_registry() -> Registry:
    """A new registry with the parts of every installed plugin; failures stand in its ``broken``.

    Modules are imported once a process; a further call only fills another registry.
    """
    registry = Registry()
    known: dict[str, EntryPoint] = {}
    for point in entry_points(group=GROUP):
        first = known.setdefault(point.name, point)
        if first is not point:
            label = f"{point.name} ({point.value})"
            registry.broken[label] = f"the name {point.name!r} is taken by {_origin(first)}; rename one entry point"
            continue
        try:
            registry.add_all(_parts(point), point.name)
        except PartError as error:
            registry.broken[point.name] = str(error)
        except Exception as error:  # a stranger's classes may fail wherever they are looked at
            reason = f"{point.value}: its parts can't be judged: {type(error).__name__}: {error}"
            registry.broken[point.name] = reason
    return registry


def _origin(point: EntryPoint) -> str:
    dist = f" of {point.dist.name}" if point.dist else ""
    return f"{point.value!r}{dist}"


def _parts(point: EntryPoint) -> tuple[type[Part], ...]:
    """The part classes of one plugin.

    Raises:
        PartError: with the sentence that `wsf plugins` prints.
    """
    found = _load(point.name, point.value)
    if isinstance(found, str):
        raise PartError(found)
    return found


@cache
def _load(name: str, value: str) -> tuple[type[Part], ...] | str:
    """The plugin's classes, or why it has none to give."""
    try:
        module = EntryPoint(name, value, GROUP).load()
        return _ask(name, module)
    except PartError as error:
        return str(error)
    except (Exception, SystemExit) as error:  # a stranger's code: whatever it raises is its own failure
        return f"{value} can't be loaded: {type(error).__name__}: {error}"


def _ask(name: str, module: ModuleType) -> tuple[type[Part], ...]:
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hookspecs)
    manager.register(module, name)
    try:
        manager.check_pending()
    except pluggy.PluginValidationError:
        raise PartError(f"{_where(module)} marks a hook that does not exist: {_pending(manager, name)}") from None
    if not manager.get_hookcallers(module):
        if callable(getattr(module, "wsf_parts", None)):
            raise PartError(f"{_where(module)}: wsf_parts() lacks @hookimpl, of wsframework.parts.hookspecs")
        raise PartError(f"{_where(module)} has no function wsf_parts() marked with @hookimpl")
    answers = manager.hook.wsf_parts()
    if not answers:  # pluggy leaves out an answer that is None
        raise PartError(f"{_where(module)}: wsf_parts() returned None, not a list of part classes")
    if not all(isinstance(parts, Iterable) for parts in answers):
        raise PartError(f"{_where(module)}: wsf_parts() returned {answers[0]!r}, not a list of part classes")
    return tuple(part for parts in answers for part in parts)


def _pending(manager: pluggy.PluginManager, name: str) -> str:
    plugin = manager.get_plugin(name)
    callers = manager.get_hookcallers(plugin) or []
    names = [caller.name for caller in callers if not caller.has_spec()]
    return f"{', '.join(map(repr, names))}; the hook is wsf_parts"


def _where(module: ModuleType) -> str:
    return f"module {getattr(module, '__name__', module)!r}"
