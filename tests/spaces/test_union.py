"""Spaces side by side: each keeps its coordinates, its symmetries and its orbits."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wsframework.errors import NotationError
from wsframework.spaces import WeightSpace, orbits, prefixed, union
from wsframework.testing.strategies import mlp_space, weight_spaces


@settings(max_examples=15)
@given(weight_spaces(max_size=300), st.integers(0, 2**30))
def test_other_names_change_neither_coordinates_nor_symmetries(space: WeightSpace, seed: int) -> None:
    other = prefixed(space, "one-more", "kind")
    assert list(other.shapes.values()) == list(space.shapes.values())
    x = torch.randn(2, space.size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    ours, theirs = (s.random_symmetry(torch.Generator().manual_seed(seed)).act(x) for s in (space, other))
    assert torch.equal(ours, theirs)


@settings(max_examples=15)
@given(weight_spaces(max_size=300), weight_spaces(max_size=300))
def test_a_union_holds_its_parts_one_after_the_other(first: WeightSpace, second: WeightSpace) -> None:
    whole = union([prefixed(first, "a", "x"), prefixed(second, "b", "y")])
    assert whole.size == first.size + second.size
    assert whole.offsets == {
        **{f"a/{name}": place for name, place in first.offsets.items()},
        **{f"b/{name}": place + first.size for name, place in second.offsets.items()},
    }
    assert WeightSpace.parse(str(whole)) == whole


@settings(max_examples=15)
@given(weight_spaces(max_size=300), weight_spaces(max_size=300))
def test_orbits_of_a_union_are_those_of_its_parts(first: WeightSpace, second: WeightSpace) -> None:
    whole = orbits(union([prefixed(first, "a", "x"), prefixed(second, "b", "y")])).index
    for part, index in ((first, whole[: first.size]), (second, whole[first.size :])):
        one, other = (torch.unique(i, return_inverse=True)[1] for i in (orbits(part).index, index))
        assert len(torch.unique(one)) == len(torch.unique(torch.stack([one, other]), dim=1)[0])
        assert len(torch.unique(one)) == len(torch.unique(other))


def test_widths_of_a_group_share_roles_and_fixed_dims_and_groups_share_nothing() -> None:
    narrow, wide = mlp_space((2, 3, 2)), mlp_space((2, 5, 5, 2))
    together = union([prefixed(narrow, "narrow", "mlp"), prefixed(wide, "wide", "mlp")])
    assert {p.role for p in narrow.parameters} <= {p.role.removeprefix("mlp/") for p in together.parameters}
    fixed = [dim.name for dim in together.dims if not dim.free]
    assert len(fixed) == len([dim for dim in narrow.dims if not dim.free])
    assert len(together.free) == len(narrow.free) + len(wide.free)
    a, b = prefixed(narrow, "narrow", "mlp"), prefixed(narrow, "other", "siren")
    assert not {p.role for p in a.parameters} & {p.role for p in b.parameters}
    assert not {dim.name for dim in a.dims} & {dim.name for dim in b.dims}


def test_without_a_group_roles_stay() -> None:
    space = mlp_space((2, 3, 2))
    assert set(orbits(prefixed(space, "one")).keys) == set(orbits(space).keys)


def test_a_fixed_dim_within_a_free_one_is_the_members_own() -> None:
    space = WeightSpace.parse("free heads=2\nfixed value[heads]=3 out=2\nweight heads value out")
    names = [dim.name for dim in prefixed(space, "m", "g").dims]
    assert names == ["m_heads", "m_value", "g_out"]


def test_one_member_is_not_there_twice() -> None:
    one = prefixed(mlp_space((2, 3, 2)), "one", "mlp")
    with pytest.raises(NotationError, match="is stated twice"):
        union([one, one])
