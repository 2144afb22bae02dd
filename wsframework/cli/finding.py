"""What a name on the command line means: a part, a plugin's parts, or those of a module."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from wsframework.errors import PartError, nearest

if TYPE_CHECKING:
    from wsframework.parts.interfaces import Part
    from wsframework.parts.registry import Registry


def find(registry: Registry, asked: str) -> type[Part]:
    """The part that ``asked`` names: ``NAME``, ``KIND:NAME`` or ``KIND/NAME``.

    Raises:
        PartError: if there is none, or there are several.
    """
    kind, separator, name = asked.replace("/", ":").partition(":")
    if separator:
        return registry.get(kind, name)
    found = [part for part in registry.all() if part.name == asked]
    if len(found) > 1:
        raise PartError(f"several parts are called {asked!r}: {', '.join(f'{p.kind}:{p.name}' for p in found)}")
    if not found:
        broken = f" (broken plugins: {', '.join(registry.broken)})" if registry.broken else ""
        raise PartError(f"there is no part {asked!r}{nearest(asked, {p.name for p in registry.all()})}{broken}")
    return found[0]


def find_all(registry: Registry, asked: str) -> Sequence[type[Part]]:
    """The parts that ``asked`` means, those of a module with or without being registered.

    A part goes before a plugin of the same name, which ``plugin:NAME`` names; a module is a file that ends in
    ``.py``, or a dotted name.

    Raises:
        PartError: if there is no such part, plugin or module, or it is broken.
    """
    plugin = asked.removeprefix("plugin:")
    if asked == plugin and any(part.name == asked for part in registry.all()):
        return [find(registry, asked)]
    if plugin in registry.broken:
        raise PartError(f"plugin {plugin!r} is broken: {registry.broken[plugin]}")
    if plugin in registry.plugins:
        return registry.plugins[plugin]
    if asked == plugin and (module := module_named(asked)) is not None:
        return _parts(module)
    if asked != plugin:
        raise PartError(f"there is no plugin {plugin!r}{nearest(plugin, registry.plugins)}")
    if ":" in asked:
        return [find(registry, asked)]
    known = {*(p.name for p in registry.all()), *registry.plugins}
    raise PartError(f"{asked!r} is no part, no plugin and no module{nearest(asked, known)}")


def module_named(asked: str) -> ModuleType | None:
    """The module called ``asked``, imported; None if there is none."""
    try:
        if asked.endswith(".py"):
            return _file(Path(asked))
        return importlib.import_module(asked) if _exists(asked) else None
    except PartError:
        raise
    except Exception as error:
        raise PartError(f"{asked} can't be imported: {type(error).__name__}: {error}") from None


def _exists(name: str) -> bool:
    """Whether a module of this name can be imported, from the current folder too."""
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        return all(word.isidentifier() for word in name.split(".")) and importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def _file(path: Path) -> ModuleType:
    if not path.is_file():
        raise PartError(f"{path}: there is no such file")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(path.stem, module)
    sys.path.insert(0, str(path.parent.resolve()))
    spec.loader.exec_module(module)
    return module


def _parts(module: ModuleType) -> Sequence[type[Part]]:
    """What the module's hook gives, or without a hook the part classes that it defines.

    Raises:
        PartError: if it has none, or its hook fails.
    """
    from wsframework.parts.interfaces import INTERFACES, Part

    hook = getattr(module, "wsf_parts", None)
    found = (
        _hooked(module.__name__, hook)
        if callable(hook)
        else [
            value
            for value in vars(module).values()
            if inspect.isclass(value)
            and issubclass(value, Part)
            and value not in (Part, *INTERFACES.values())
            and value.__module__ == module.__name__
        ]
    )
    if not found:
        raise PartError(
            f"module {module.__name__!r} has no part: no function wsf_parts, and no class derived from Part"
        )
    return found


def _hooked(name: str, hook: Callable[[], Iterable[type[Part]]]) -> Sequence[type[Part]]:
    """What the hook of module ``name`` gives.

    Raises:
        PartError: if it raises anything, or gives what is no part.
    """
    from wsframework.parts.interfaces import Part

    try:
        found = list(hook())
    except Exception as error:
        raise PartError(f"wsf_parts of module {name!r} fails: {type(error).__name__}: {error}") from None
    for value in found:
        if not (inspect.isclass(value) and issubclass(value, Part)):
            raise PartError(f"wsf_parts of module {name!r} gives {value!r}, which is no class derived from Part")
    return found
