"""What an option or a key may hold: annotations as words for people, and as a check of values from TOML.

Understood are ``bool``, ``int``, ``float``, ``str``, ``Any``, ``Literal[...]``, ``X | None``, unions, ``tuple``,
``list`` and ``Sequence`` of these, ``Mapping[str, X]``, and bounds: ``Annotated[int, Least(1)]``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

WORDS: dict[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a string",
    Any: "any value",
}


@dataclass(frozen=True)
class Least:
    """The smallest value that a number may take (``strict``: must be larger than it)."""

    value: float
    strict: bool = False

    def __str__(self) -> str:
        return f"{'larger than' if self.strict else 'of at least'} {self.value:g}"

    def holds(self, value: float) -> bool:
        """Whether ``value`` is within the bound."""
        return value > self.value if self.strict else value >= self.value


@dataclass(frozen=True)
class Most:
    """The largest value that a number may take (``strict``: must be smaller than it)."""

    value: float
    strict: bool = False

    def __str__(self) -> str:
        return f"{'smaller than' if self.strict else 'of at most'} {self.value:g}"

    def holds(self, value: float) -> bool:
        """Whether ``value`` is within the bound."""
        return value < self.value if self.strict else value <= self.value


class Unfit(ValueError):
    """A value is not of the kind that the annotation asks for; the message says what would be right."""


def is_union(annotation: Any) -> bool:
    """Whether the annotation is ``X | Y`` in either spelling."""
    return get_origin(annotation) in (Union, UnionType)


def is_sequence(annotation: Any) -> bool:
    """Whether the annotation is a tuple, a list, or a Sequence of something."""
    return get_origin(annotation) in (tuple, list, Sequence)


def describe(annotation: Any) -> str:
    """What a value of ``annotation`` looks like, in words.

    >>> describe(Annotated[int, Least(1)])
    'a whole number of at least 1'
    >>> describe(Literal["v", "clean"])
    "one of 'v', 'clean'"
    """
    inner = get_args(annotation)
    if get_origin(annotation) is Annotated:
        bounds = " and ".join(str(bound) for bound in inner[1:] if isinstance(bound, Least | Most))
        return f"{describe(inner[0])} {bounds}".rstrip()
    if get_origin(annotation) is Literal:
        return f"one of {', '.join(map(shown, inner))}"
    if is_union(annotation):
        return " or ".join(describe(a) for a in inner if a is not NoneType)
    if is_sequence(annotation):
        return f"a list of {_entries(inner)}"
    if get_origin(annotation) is Mapping:
        return "a table"
    return WORDS.get(annotation, str(annotation))


def _entries(inner: tuple[Any, ...]) -> str:
    if len(inner) == 1 or inner[1] is Ellipsis:
        return f"entries that are each {describe(inner[0])}"
    return f"{len(inner)}: {', '.join(map(describe, inner))}"


def shown(value: Any) -> str:
    """A value as a config writes it, near enough for a sentence."""
    return str(value).lower() if isinstance(value, bool) else repr(value)


def understood(annotation: Any) -> bool:
    """Whether TOML can hold a value of ``annotation`` and `conform` can judge it."""
    inner = get_args(annotation)
    if get_origin(annotation) is Annotated:
        return understood(inner[0])
    if get_origin(annotation) is Literal:
        return all(isinstance(choice, str | int | bool) for choice in inner)
    if is_union(annotation) or is_sequence(annotation):
        return bool(inner) and all(a in (NoneType, Ellipsis) or understood(a) for a in inner)
    if get_origin(annotation) is Mapping:
        return inner[0] is str and understood(inner[1])
    return any(annotation is plain for plain in WORDS)


def conform(value: Any, annotation: Any) -> Any:
    """``value`` as ``annotation`` has it: a whole number becomes a float where one is asked for, a list a tuple.

    Raises:
        Unfit: with words for what would be right. ``true`` is no number, 3.0 no whole number, nan and inf are nothing.
    """
    inner = get_args(annotation)
    if get_origin(annotation) is Annotated:
        number = _conform(value, inner[0], annotation)
        return _fit(number, all(b.holds(number) for b in inner[1:] if isinstance(b, Least | Most)), annotation)
    if get_origin(annotation) is Literal:
        return _fit(value, any(value == c and type(value) is type(c) for c in inner), annotation)
    if is_union(annotation):
        return _first(value, inner, annotation)
    if is_sequence(annotation):
        return _sequence(value, annotation)
    if get_origin(annotation) is Mapping:
        return {k: conform(v, inner[1]) for k, v in _fit(value, isinstance(value, Mapping), annotation).items()}
    return _plain(value, annotation)


def _fit(value: Any, fits: bool, annotation: Any) -> Any:
    if not fits:
        raise _unfit(value, annotation)
    return value


def _unfit(value: Any, annotation: Any) -> Unfit:
    """The words for what would be right; bounds alone don't say what is wrong with an infinity."""
    infinite = any(type(v) is float and math.isinf(v) for v in (value if isinstance(value, list | tuple) else [value]))
    return Unfit(f"{describe(annotation)}, and finite" if infinite else describe(annotation))


def _conform(value: Any, annotation: Any, outer: Any) -> Any:
    """`conform`, with the words of the outer annotation."""
    try:
        return conform(value, annotation)
    except Unfit:
        raise _unfit(value, outer) from None


def _first(value: Any, alternatives: tuple[Any, ...], annotation: Any) -> Any:
    if value is None and NoneType in alternatives:
        return None
    for alternative in alternatives:
        try:
            return conform(value, alternative)
        except Unfit:
            continue
    raise _unfit(value, annotation)


def _sequence(value: Any, annotation: Any) -> tuple[Any, ...]:
    inner = get_args(annotation)
    _fit(value, isinstance(value, list | tuple), annotation)
    if get_origin(annotation) is tuple and Ellipsis not in inner:
        _fit(value, len(value) == len(inner), annotation)
        return tuple(_conform(v, a, annotation) for v, a in zip(value, inner, strict=True))
    return tuple(_conform(v, inner[0], annotation) for v in value)


def _plain(value: Any, annotation: Any) -> Any:
    if annotation is Any:
        return _frozen(value)
    if annotation is float and type(value) in (int, float):
        return _fit(float(value), math.isfinite(value), annotation)
    return _fit(value, type(value) is annotation, annotation)


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list | tuple) else value
