"""The options of a part, read from its constructor: the signature is the schema."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from types import NoneType
from typing import Any, get_args, get_type_hints

from wsframework.errors import PartError
from wsframework.parts.interfaces import INTERFACES, Part
from wsframework.parts.values import describe, is_sequence, is_union

MISSING: Any = inspect.Parameter.empty

GIVEN: dict[str, tuple[str, ...]] = {
    "encoder": ("space",),
    "conditioner": ("shape",),
    "denoiser": ("space", "condition_size"),
    "features": ("architecture", "shape"),
}
"""What the framework gives to the constructors of each kind; the other kinds are given nothing."""


@dataclass(frozen=True)
class Option:
    """A key that a user may set.

    Attributes:
        annotation: its type, `MISSING` where there is none.
        default: its default, `MISSING` where there is none.
        kind: for a nested part, the kind of it.
        many: whether a list of nested parts is asked for.
    """

    name: str
    annotation: Any
    default: Any
    kind: str | None = None
    many: bool = False

    def __str__(self) -> str:
        """What the option takes, in words."""
        if self.kind is None:
            return describe(self.annotation)
        return f"a list of {self.kind} tables" if self.many else f"a table with the {self.kind} to use"


@lru_cache(maxsize=1024)
def options_of(part: type[Part]) -> dict[str, Option]:
    """The options of ``part`` in the order of its signature.

    Raises:
        PartError: where an annotation can't be read: it names something that its module does not have, or is none.
    """
    constructor: Callable[..., Any] = part.__dict__.get("__init__", part.__init__)
    try:
        hints = get_type_hints(constructor, include_extras=True)
    except NameError as error:
        raise PartError(f"an option's annotation can't be read ({error}); import that name at run time") from None
    except Exception as error:  # reading a stranger's annotation runs it: whatever it raises is its own fault
        raise PartError(f"an option's annotation can't be read ({type(error).__name__}: {error})") from None
    return {
        name: _option(name, hints.get(name, MISSING), parameter.default) for name, parameter in part.options().items()
    }


def _option(name: str, annotation: Any, default: Any) -> Option:
    many = is_sequence(annotation)
    inner = (*get_args(annotation), annotation)[0] if many else annotation
    return Option(name, annotation, default, _kind(inner), many)


def _kind(annotation: Any) -> str | None:
    """The kind of part that the annotation asks for, if it is an interface, or an interface or None."""
    candidates = [a for a in get_args(annotation) if a is not NoneType] if is_union(annotation) else [annotation]
    kinds = [kind for kind, interface in INTERFACES.items() if candidates == [interface]]
    return kinds[0] if kinds else None
