"""What a class must be to enter the registry as a part."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, get_args

from wsframework.errors import PartError
from wsframework.parts.interfaces import INTERFACES, Part
from wsframework.parts.options import GIVEN, MISSING, Option, options_of
from wsframework.parts.values import Unfit, conform, understood
from wsframework.spaces.notation import Gauge

NAME = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*")

RESERVED: dict[str, frozenset[str]] = {
    "task_family": frozenset({"use", "seen", "validation", "held_out", "judge"}),
    "architecture": frozenset({"use", "name", "seen", "set"}),
}
"""Keys of a section that are not its part's options (``use`` everywhere)."""


def faults(part: Any) -> tuple[str, ...]:
    """Everything that keeps ``part`` from being registered, one clause each; empty where nothing does."""
    if not (inspect.isclass(part) and issubclass(part, Part)):
        return (f"it is {part!r}, not a class derived from Part",)
    return _faults(part)


@lru_cache(maxsize=1024)
def _faults(part: type[Part]) -> tuple[str, ...]:
    kind = getattr(part, "kind", None)
    if not issubclass(part, INTERFACES.get(kind, ()) if isinstance(kind, str) else ()):
        return (f"it derives from none of the interfaces {', '.join(i.__name__ for i in INTERFACES.values())}",)
    return (*_faults_of_class(part), *_faults_of_constructor(part))


def _faults_of_class(part: type[Part]) -> Iterator[str]:
    name = part.__dict__.get("name")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        yield f"its name is {name!r}; it needs one of its own, in lower case, such as 'deepsets' or 'mlp_unet'"
    if not (part.__dict__.get("__doc__") or "").strip():
        yield "it has no docstring"
    if inspect.isabstract(part):
        yield f"it lacks {', '.join(sorted(part.__abstractmethods__))}"
    if part.symmetry not in ("equivariant", "invariant", None):
        yield f"it claims symmetry {part.symmetry!r}; a claim is 'equivariant', 'invariant' or None"
    if not set(part.gauges) <= set(get_args(Gauge)):
        yield f"it claims gauges {part.gauges!r}; a gauge is 'sign' or 'scale'"


def _faults_of_constructor(part: type[Part]) -> Iterator[str]:
    parameters = inspect.signature(part).parameters.values()
    if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters):
        yield "its constructor takes *args or **kwargs, or it has none; the signature is the schema, write it out"
        return
    given = GIVEN.get(part.kind, ())
    if len([p for p in parameters if p.kind is not p.KEYWORD_ONLY]) != len(given):
        yield f"its constructor must be ({', '.join(['self', *given])}, *, options)"
    try:
        for option in options_of(part).values():
            yield from (f"option {option.name!r} {fault}" for fault in _faults_of_option(option, part.kind))
    except PartError as error:
        yield str(error)


def _faults_of_option(option: Option, kind: str) -> Iterator[str]:
    if option.name in RESERVED.get(kind, {"use"}):
        yield "has a name that the section itself uses"
    if option.annotation is MISSING or option.default is MISSING:
        yield "has no annotation" if option.annotation is MISSING else "has no default"
    elif option.kind is not None:
        yield from _faults_of_nested(option, option.kind, kind)
    elif not understood(option.annotation):
        yield f"is annotated {option.annotation}, which TOML can't hold"
    else:
        try:
            conform(option.default, option.annotation)
        except Unfit as error:
            yield f"has default {option.default!r}, which should be {error}"


def _faults_of_nested(option: Option, inner: str, outer: str) -> Iterator[str]:
    if option.default not in (None, ()):
        yield f"is a nested part with default {option.default!r}; the default is None (or () for a list of parts)"
    lacking = [name for name in GIVEN.get(inner, ()) if name not in GIVEN.get(outer, ())]
    if lacking:
        yield f"is a nested {inner}, which needs {', '.join(lacking)}, and a {outer} is not given that"
