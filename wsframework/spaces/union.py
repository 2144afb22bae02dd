"""Several weight spaces side by side as one: what a denoiser is built from that serves them all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from wsframework.spaces.axis import Axis, Occurrence
from wsframework.spaces.notation import Dim, Parameter
from wsframework.spaces.space import WeightSpace


def prefixed(space: WeightSpace, member: str, group: str = "") -> WeightSpace:
    """``space`` under names that no other member has, but for what its group shares: roles and fixed dims.

    Coordinates and symmetries are those of ``space``. A fixed dim within a free one is the member's own, as is that.

    >>> print(prefixed(WeightSpace.parse("free hidden=3\\nfixed in=2\\nweight hidden in"), "small", "mlp"))
    free small_hidden=3
    fixed mlp_in=2
    small/weight  small_hidden mlp_in  as mlp/weight

    Arguments:
        member: begins the names of parameters and of free dims.
        group: begins roles, and the names of fixed dims; where it is empty, these stay as they are.
    """
    own: set[str] = set()
    for dim in space.dims:
        own |= {dim.name} if dim.free or dim.within in own else set()
    names = {dim.name: _word(member if dim.name in own else group, dim.name) for dim in space.dims}
    return WeightSpace(
        tuple(_renamed_dim(dim, names) for dim in space.dims),
        tuple(_renamed_parameter(p, names, member, group) for p in space.parameters),
        tuple((f"{member}/{name}", f"{member}/{original}") for name, original in space.ties),
    )


def union(spaces: Sequence[WeightSpace]) -> WeightSpace:
    """The space whose coordinates are those of all ``spaces``, in their order; dims that are equal are one dim.

    Raises:
        SpaceError: where two parameters have one name, or two dims have one name and differ.
    """
    return WeightSpace(
        tuple(dict.fromkeys(dim for space in spaces for dim in space.dims)),
        tuple(parameter for space in spaces for parameter in space.parameters),
        tuple(tie for space in spaces for tie in space.ties),
    )


def _word(prefix: str, name: str) -> str:
    """A dim's name with its prefix, in the letters that names of dims are made of."""
    return re.sub(r"\W", "_", f"{prefix}_{name}") if prefix else name


def _renamed_dim(dim: Dim, names: dict[str, str]) -> Dim:
    return replace(dim, name=names[dim.name], within=None if dim.within is None else names[dim.within])


def _renamed_parameter(old: Parameter, names: dict[str, str], member: str, group: str) -> Parameter:
    axes = tuple(_renamed(axis, names) for axis in old.axes)
    return Parameter(f"{member}/{old.name}", axes, f"{group}/{old.role}" if group else old.role)


def _renamed(axis: Axis, names: dict[str, str]) -> Axis:
    def factor(old: Occurrence | Axis) -> Occurrence | Axis:
        return replace(old, dim=names[old.dim]) if isinstance(old, Occurrence) else _renamed(old, names)

    return Axis(tuple(tuple(map(factor, term)) for term in axis.terms))
