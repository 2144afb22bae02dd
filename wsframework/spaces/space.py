"""`WeightSpace`: all the parameter values of one architecture, with the symmetries that leave its
function unchanged. Everything that wsframework knows of a network's structure derives from this object.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from wsframework.errors import SpaceError, nearest
from wsframework.spaces.axis import Axis, Occurrence, Part, parts
from wsframework.spaces.notation import Dim, Parameter, Tie, check_names, format_space, parse

if TYPE_CHECKING:
    from wsframework.spaces.symmetry import Symmetry


@dataclass(frozen=True)
class Block:
    """A part of a parameter in which every axis is one product of dims, sums multiplied out.

    Attributes:
        parameter: the parameter's name.
        axes: the occurrences of each axis.
        start: where in the flat vector the block begins.
        strides: for each occurrence, how far apart in the flat vector its elements are.
        terms: which summand of each axis it is, from 0, as its dims are named from left to right; unlike
            ``start`` the same at every width.
    """

    parameter: str
    axes: tuple[tuple[Occurrence, ...], ...]
    start: int
    strides: tuple[int, ...]
    terms: tuple[int, ...]

    @property
    def occurrences(self) -> tuple[Occurrence, ...]:
        """The occurrences of all axes, in order: the block viewed with one axis a dim."""
        return tuple(o for axis in self.axes for o in axis)


@dataclass(frozen=True)
class WeightSpace:
    """The parameters of one architecture, in the order in which they are flattened, and their dims.

    >>> space = WeightSpace.parse('''
    ...     free hidden=3
    ...     fixed in=2
    ...     weight  hidden in
    ...     bias    hidden''')
    >>> space.size, space.free
    (9, {'hidden': 3})

    Attributes:
        dims: the named index sets, an outer dim before those that depend on it.
        parameters: their names, axes and roles.
        ties: further names that a parameter has in the state dict, and the name that it has here.
        notes: what `wsframework.trace` has to say of the space that it found; no part of it when compared.
    """

    dims: tuple[Dim, ...]
    parameters: tuple[Parameter, ...]
    ties: tuple[Tie, ...] = ()
    notes: tuple[str, ...] = field(default=(), compare=False)

    @classmethod
    def parse(cls, text: str) -> WeightSpace:
        """The space that ``text`` states (see `wsframework.spaces.notation`)."""
        return cls(*parse(text))

    def __post_init__(self) -> None:
        check_names(self.dims, self.parameters, self.ties)
        names = [d.name for d in self.dims]
        for dim in self.dims:
            if dim.size < 1:
                raise SpaceError(f"dim {dim.name!r} has size {dim.size}; a dim has at least one element")
            if dim.within is not None and dim.within not in names[: names.index(dim.name)]:
                raise SpaceError(f"dim {dim.name!r} depends on {dim.within!r}, which is not declared before it")
            if dim.gauge is not None and not dim.free:
                raise SpaceError(f"dim {dim.name!r} has a gauge but is fixed")
        for parameter in self.parameters:
            if not all(axis.complete for axis in parameter.axes):
                raise SpaceError(f"parameter {parameter.name!r} has an axis without dims")
            self._check_dependence(parameter)

    def _check_dependence(self, parameter: Parameter) -> None:
        for block in self._blocks_of(parameter):
            present = {o.dim for o in block.occurrences}
            for occurrence in block.occurrences:
                within = self.dim(occurrence.dim).within
                if within is not None and within not in present:
                    raise SpaceError(
                        f"parameter {parameter.name!r}: dim {occurrence.dim!r} occurs without {within!r}, "
                        "which it depends on"
                    )

    @cached_property
    def _hash(self) -> int:
        return hash((self.dims, self.parameters, self.ties))

    def __hash__(self) -> int:
        """As the fields say, computed once: spaces are keys of many caches."""
        return self._hash

    def __reduce__(self) -> tuple[type[WeightSpace], tuple[Any, ...]]:
        """What another process needs: the fields, but no hash, since strings hash differently there."""
        return WeightSpace, (self.dims, self.parameters, self.ties, self.notes)

    def __str__(self) -> str:
        return format_space(self.dims, self.parameters, self.ties)

    @cached_property
    def _by_name(self) -> dict[str, Dim]:
        return {d.name: d for d in self.dims}

    def dim(self, name: str) -> Dim:
        """The dim called ``name``."""
        try:
            return self._by_name[name]
        except KeyError:
            raise SpaceError(f"no dim {name!r} in this space{nearest(name, self._by_name)}") from None

    @cached_property
    def free(self) -> dict[str, int]:
        """The free dims and their sizes."""
        return {d.name: d.size for d in self.dims if d.free}

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of every parameter."""
        return {p.name: tuple(self._parts(axis)[1] for axis in p.axes) for p in self.parameters}

    @cached_property
    def offsets(self) -> dict[str, int]:
        """Where each parameter begins in the flat vector."""
        ends = itertools.accumulate((math.prod(s) for s in self.shapes.values()), initial=0)
        return dict(zip(self.shapes, ends, strict=False))

    @cached_property
    def size(self) -> int:
        """The number of coordinates of the flat vector."""
        return sum(math.prod(shape) for shape in self.shapes.values())

    def _parts(self, axis: Axis) -> tuple[list[Part], int]:
        return parts(axis, lambda name: self.dim(name).size)

    def blocks(self) -> Iterator[Block]:
        """Every parameter cut into blocks whose axes are plain products; one a parameter without sums."""
        for parameter in self.parameters:
            yield from self._blocks_of(parameter)

    def _blocks_of(self, parameter: Parameter) -> Iterator[Block]:
        shape = self.shapes[parameter.name]
        steps = [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]
        for choice in itertools.product(*(enumerate(self._parts(axis)[0]) for axis in parameter.axes)):
            found = [part for _, part in choice]
            yield Block(
                parameter.name,
                tuple(part.occurrences for part in found),
                self.offsets[parameter.name] + sum(s * p.start for s, p in zip(steps, found, strict=True)),
                tuple(step * stride for step, part in zip(steps, found, strict=True) for stride in part.strides),
                tuple(term for term, _ in choice),
            )

    def block_index(self, block: Block) -> Tensor:
        """Flat positions of the block's entries, of shape (one axis for each occurrence)."""
        index = torch.tensor(block.start)
        for occurrence, stride in zip(block.occurrences, block.strides, strict=True):
            index = index.unsqueeze(-1) + stride * torch.arange(self.dim(occurrence.dim).size)
        return index

    def unflatten(self, x: Tensor) -> dict[str, Tensor]:
        """Views of ``x`` (..., size) as the parameters (..., *shape), without a copy."""
        if x.shape[-1] != self.size:
            raise SpaceError(f"x has {x.shape[-1]} coordinates; this space has {self.size}")
        parts = x.split_with_sizes([math.prod(s) for s in self.shapes.values()], dim=-1)
        return {
            name: part.reshape([*x.shape[:-1], *shape])
            for (name, shape), part in zip(self.shapes.items(), parts, strict=True)
        }

    def flatten(self, parameters: Mapping[str, Tensor]) -> Tensor:
        """The inverse of `unflatten`: parameters (..., *shape) to one tensor (..., size).

        Raises:
            SpaceError: naming a parameter that is missing, unknown, or of another shape.
        """
        return torch.cat(list(self.rows(parameters).values()), dim=-1)

    def rows(self, parameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Each parameter as (..., entries), in the space's order.

        Raises:
            SpaceError: naming a parameter that is missing, unknown, or of another shape.
        """
        ties = dict(self.ties)
        for name, value in parameters.items():
            if name not in self.shapes and name not in ties:
                raise SpaceError(f"no parameter {name!r} in this space{nearest(name, self.shapes)}")
            if name in ties and ties[name] in parameters and not _equal(value, parameters[ties[name]]):
                raise SpaceError(f"parameter {name!r} is tied to {ties[name]!r}, but differs from it")
        rows: dict[str, Tensor] = {}
        for name, shape in self.shapes.items():
            if name not in parameters:
                raise SpaceError(f"parameter {name!r} is missing{nearest(name, parameters)}")
            value = parameters[name]
            batch = value.shape[: max(value.dim() - len(shape), 0)]
            if tuple(value.shape[len(batch) :]) != shape:
                raise SpaceError(f"parameter {name!r} has shape {tuple(value.shape)}; this space says {shape}")
            rows[name] = value.reshape(*batch, math.prod(shape))
            if batch != (first := next(iter(rows.values())).shape[:-1]):
                raise SpaceError(f"parameter {name!r} has batch {tuple(batch)}; those before it have {tuple(first)}")
        return rows

    def random_symmetry(self, generator: torch.Generator | None = None, gauge: bool = True) -> Symmetry:
        """A uniformly random element of the group (scales are log-normal, signs fair)."""
        from wsframework.spaces.symmetry import Symmetry

        return Symmetry.random(self, generator, gauge=gauge)

    def identity_symmetry(self) -> Symmetry:
        """The group element that changes nothing."""
        from wsframework.spaces.symmetry import Symmetry

        return Symmetry.identity(self)


def _equal(first: Tensor, second: Tensor) -> bool:
    return first is second or (first.shape == second.shape and bool((first == second).all()))
