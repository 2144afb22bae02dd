"""The notation of weight spaces: every axis of every parameter, in named dims.

    free hidden=32
    fixed in=2 out=2

    input.weight   hidden in
    input.bias     hidden
    output.weight  out hidden
    output.bias    out

A line ``free`` or ``fixed`` declares dims with their sizes: a *free* dim may be permuted, everywhere
at once, without changing the network's function; a *fixed* one may not. ``value[heads]=8`` declares a
dim that depends on another: its elements are permuted within each element of ``heads`` separately.
``hidden:sign=32`` gives a free dim a gauge (``sign`` or ``scale``), and ``hidden^-1`` an occurrence its
exponent. Every other line is a parameter: its name, its axes, and ``as ROLE`` where its role is not its
name; or a further name of one, ``head.weight = embedding.weight``. An axis is a dim, or stands in
parentheses: a product ``(c h w)``, a sum of products ``(heads key + heads key + heads value)``, a product with
a sum ``(heads (key + key + value))``, nested as deeply as need be. ``name ()`` is a scalar. ``#`` begins a
comment.

A dim is declared before it is used. An occurrence may repeat what its dim depends on (``value[heads]``);
its exponent is 0 where none is stated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from wsframework.errors import NotationError, nearest
from wsframework.spaces.axis import Axis, Occurrence

Gauge = Literal["sign", "scale"]
_GAUGES: dict[str | None, Gauge | None] = {None: None, "sign": "sign", "scale": "scale"}

_NAME = re.compile(r"[A-Za-z_]\w*")
_WORD = re.compile(r"[^\s#]+")
_ROLE = re.compile(r"[^\s#]+( [^\s#]+)*")
_DIM = re.compile(r"(?P<name>[A-Za-z_]\w*)(\[(?P<within>[A-Za-z_]\w*)\])?(?P<exponent>\^[+-]?\d+)?$")
_DECLARATION = re.compile(r"(?P<name>[A-Za-z_]\w*)(\[(?P<within>[A-Za-z_]\w*)\])?(:(?P<gauge>\w+))?=(?P<size>\d+)$")
_WORDS = re.compile(r"[()]|[^\s()]+")
_AS = re.compile(r"\s+as\s+")


@dataclass(frozen=True)
class Dim:
    """A named index set of ``size`` elements.

    Attributes:
        free: whether permuting its elements leaves the function unchanged.
        within: the outer dim, where this one is permuted separately in each of the outer's elements.
        gauge: a further freedom of each element: its ``sign``, or its positive ``scale``.
    """

    name: str
    size: int
    free: bool
    within: str | None = None
    gauge: Gauge | None = None

    def __str__(self) -> str:
        within = f"[{self.within}]" if self.within else ""
        gauge = f":{self.gauge}" if self.gauge else ""
        return f"{self.name}{within}{gauge}={self.size}"


@dataclass(frozen=True)
class Parameter:
    """A parameter: its name in the state dict, its axes, and its role (shared across depths and widths)."""

    name: str
    axes: tuple[Axis, ...]
    role: str

    @property
    def occurrences(self) -> tuple[Occurrence, ...]:
        """Every occurrence of a dim, axis by axis."""
        return tuple(o for axis in self.axes for o in axis.occurrences)

    @property
    def notation(self) -> str:
        """Its axes, as in the notation."""
        return " ".join(axis.notation for axis in self.axes) or "()"


Tie = tuple[str, str]
"""A further name of a parameter in the state dict, and the name that it has in the space."""


def parse(text: str) -> tuple[tuple[Dim, ...], tuple[Parameter, ...], tuple[Tie, ...]]:
    """The dims, parameters and ties that ``text`` states.

    Raises:
        NotationError: with the line and what is wrong in it.
    """
    dims: dict[str, Dim] = {}
    parameters: list[Parameter] = []
    ties: list[Tie] = []
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.split("#")[0].strip()
        if not line:
            continue
        try:
            keyword, *rest = line.split()
            if keyword in ("free", "fixed") and any("=" in word for word in rest):
                for word in rest:
                    dim = _parse_declaration(word, free=keyword == "free")
                    if dims.setdefault(dim.name, dim) != dim:
                        raise NotationError(f"dim {dim.name!r} is declared twice, and differently")
            elif rest[:1] == ["="]:
                ties.append(_parse_tie(line))
            else:
                parameters.append(_parse_parameter(line, dims))
        except NotationError as error:
            raise NotationError(f"line {number} ({line!r}): {error}") from None
    return tuple(dims.values()), tuple(parameters), tuple(ties)


def _parse_tie(line: str) -> Tie:
    words = line.split()
    if len(words) != 3:
        raise NotationError("a tie is written 'head.weight = embedding.weight'")
    return words[0], words[2]


def _parse_declaration(word: str, free: bool) -> Dim:
    match = _DECLARATION.match(word)
    if match is None:
        raise NotationError(f"{word!r} is not a declaration such as hidden=32 or value[heads]=8")
    if match["gauge"] not in _GAUGES:
        raise NotationError(f"gauge {match['gauge']!r} is neither 'sign' nor 'scale'")
    return Dim(match["name"], int(match["size"]), free, match["within"], _GAUGES[match["gauge"]])


def _parse_parameter(line: str, dims: dict[str, Dim]) -> Parameter:
    name, rest = (*line.split(maxsplit=1), "")[:2]
    axes_text, role = (*_AS.split(rest, maxsplit=1), name)[:2]
    if not axes_text.strip():
        raise NotationError(f"parameter {name!r} states no axes; a scalar is written '{name} ()'")
    return Parameter(name, _parse_axes(axes_text, dims), " ".join(role.split()))


def _parse_axes(text: str, dims: dict[str, Dim]) -> tuple[Axis, ...]:
    words = _WORDS.findall(text)
    if words == ["(", ")"]:
        return ()
    if words.count("(") != words.count(")"):
        raise NotationError("the parentheses don't match")
    left = iter(words)
    axes = (_parse_sum(left, dims) if w == "(" else Axis(((_parse_occurrence(w, dims),),)) for w in left)
    return tuple(axes)


def _parse_sum(words: Iterator[str], dims: dict[str, Dim]) -> Axis:
    """What stands between a parenthesis that was opened and the one that closes it."""
    terms: list[list[Occurrence | Axis]] = [[]]
    for word in words:
        if word == ")":
            break
        if word == "+":
            terms.append([])
        else:
            terms[-1].append(_parse_sum(words, dims) if word == "(" else _parse_occurrence(word, dims))
    if not all(terms):
        raise NotationError("between parentheses there is an empty term")
    return Axis(tuple(map(tuple, terms)))


def _parse_occurrence(word: str, dims: dict[str, Dim]) -> Occurrence:
    match = _DIM.match(word)
    if match is None:
        raise NotationError(f"{word!r} is not a dim such as hidden or hidden^-1")
    dim = dims.get(match["name"])
    if dim is None:
        raise NotationError(f"dim {match['name']!r} is used before any line declares it{nearest(match['name'], dims)}")
    if match["within"] not in (None, dim.within):
        raise NotationError(f"dim {dim.name!r} was not declared within {match['within']!r}")
    return Occurrence(dim.name, int((match["exponent"] or "^0")[1:]))


def check_names(dims: Sequence[Dim], parameters: Sequence[Parameter], ties: Sequence[Tie] = ()) -> None:
    """Refuse what no text could state.

    Raises:
        NotationError: naming a dim, parameter or role that is not a word of the notation, or is there twice; or a
            tie to what is no parameter.
    """
    names = [d.name for d in dims]
    known = [p.name for p in parameters]
    for _, original in ties:
        if original not in known:
            raise NotationError(
                f"a tie names {original!r}, which is no parameter of this space{nearest(original, known)}"
            )
    for kind, pattern, words in (
        ("dim", _NAME, names),
        ("parameter", _WORD, [*known, *(name for name, _ in ties)]),
        ("role", _ROLE, [p.role for p in parameters]),
    ):
        for word in words:
            if not pattern.fullmatch(word):
                raise NotationError(f"{kind} {word!r} can't be written in the notation of spaces")
        if kind != "role" and len(set(words)) < len(words):
            twice = next(word for word in words if words.count(word) > 1)
            raise NotationError(f"{kind} {twice!r} is stated twice")
    if "as" in names:
        raise NotationError("dim 'as' has the name of a keyword, which begins a role; give it another")
    for p in parameters:
        if p.name in ("free", "fixed") and "=" in p.role:
            raise NotationError(
                f"parameter {p.name!r} with role {p.role!r} reads as a declaration; give it another role"
            )


def format_space(dims: Sequence[Dim], parameters: Sequence[Parameter], ties: Sequence[Tie] = ()) -> str:
    """The inverse of `parse`: text that parses to the same dims, parameters and ties."""
    lines = [f"{kind} {' '.join(map(str, found))}" for kind, found in _declarations(dims)]
    rows = [(p.name, p.notation, p.role) for p in parameters]
    name_width = max((len(name) for name, _, _ in rows), default=0)
    axes_width = max((len(axes) for _, axes, _ in rows), default=0)
    for name, axes, role in rows:
        as_role = "" if role == name else f"  as {role}"
        lines.append(f"{name:{name_width}}  {axes:{axes_width if as_role else 0}}{as_role}".rstrip())
    return "\n".join([*lines, *(f"{name} = {original}" for name, original in ties)])


def _declarations(dims: Sequence[Dim]) -> list[tuple[str, list[Dim]]]:
    """Dims grouped by kind without changing their order (an outer dim is declared before its inner)."""
    groups: list[tuple[str, list[Dim]]] = []
    for dim in dims:
        kind = "free" if dim.free else "fixed"
        if not groups or groups[-1][0] != kind:
            groups.append((kind, []))
        groups[-1][1].append(dim)
    return groups
