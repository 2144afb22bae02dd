"""Orbits are exactly what the group makes of the coordinates."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from reaching import reached
from wsf_equivariant.normalisation import Orbit

from wsframework.spaces import Symmetry, WeightSpace, orbits
from wsframework.testing.strategies import mlp_space, mlp_spaces, symmetries, weight_spaces, weights


@settings(deadline=None)
@given(weight_spaces(), st.data())
def test_an_element_maps_each_orbit_to_itself(space: WeightSpace, data: st.DataObject) -> None:
    found = orbits(space)
    g = data.draw(symmetries(space))
    assert torch.equal(found.index[g.index], found.index)
    assert set(found.index.tolist()) == set(range(len(found.keys)))
    assert len(set(found.keys)) == len(found.keys)


def swaps(space: WeightSpace) -> list[Symmetry]:
    """The swaps of neighbours in every free dim, in each element of what it depends on: they generate the group."""
    found = []
    for name, identity in space.identity_symmetry().permutations.items():
        for row, i in itertools.product(range(identity.flatten(0, -2).shape[0] if identity.dim() > 1 else 1),
                                        range(identity.shape[-1] - 1)):  # fmt: skip
            g = space.identity_symmetry()
            line = g.permutations[name].view(-1, identity.shape[-1])[row]
            line[[i, i + 1]] = line[[i + 1, i]]
            found.append(g)
    return found


def same_partition(a: np.ndarray, b: np.ndarray) -> bool:
    pairs = set(zip(a.tolist(), b.tolist(), strict=True))
    return len(pairs) == len(set(a.tolist())) == len(set(b.tolist()))


@settings(deadline=None, max_examples=100)
@given(weight_spaces(max_size=400))
def test_orbits_are_what_the_group_connects(space: WeightSpace) -> None:
    assert same_partition(reached(space, swaps(space)), orbits(space).index.numpy())


@settings(deadline=None, max_examples=30)
@given(weight_spaces(max_dims=3, max_size=100))
def test_orbits_are_what_the_whole_group_connects(space: WeightSpace) -> None:
    """The same, with every element of the group written out: it does not rest on what generates it."""
    identity = space.identity_symmetry().permutations
    rows = {n: p.numel() // p.shape[-1] for n, p in identity.items()}
    assume(math.prod(math.factorial(identity[n].shape[-1]) ** count for n, count in rows.items()) <= 300)
    choices = [
        [torch.tensor(c).reshape(identity[n].shape) for c in
         itertools.product(itertools.permutations(range(identity[n].shape[-1])), repeat=count)]
        for n, count in rows.items()
    ]  # fmt: skip
    group = [Symmetry(space, dict(zip(rows, choice, strict=True)), {}) for choice in itertools.product(*choices)]
    assert same_partition(reached(space, group), orbits(space).index.numpy())


@settings(deadline=None, max_examples=50)
@given(weight_spaces(), st.data())
def test_keys_are_the_same_at_every_width(space: WeightSpace, data: st.DataObject) -> None:
    """From as many elements on as a dim occurs times: with fewer, it has fewer ways to coincide."""
    times = {d.name: [sum(o.dim == d.name for o in b.occurrences) for b in space.blocks()] for d in space.dims}
    assume(all(d.size >= max([3, *times[d.name]]) for d in space.dims if d.free))
    wider = WeightSpace(
        tuple(replace(d, size=d.size + data.draw(st.integers(0, 1))) if d.free else d for d in space.dims),
        space.parameters,
    )
    assert orbits(space).keys == orbits(wider).keys


@settings(deadline=None)
@given(mlp_spaces(widths=(1, 64)), st.integers(1, 64))
def test_perceptrons_share_keys_across_widths_and_depths(space: WeightSpace, width: int) -> None:
    ends, bias = (space.dim("in").size, space.dim("out").size), any(n.endswith("bias") for n in space.shapes)
    other = mlp_space((ends[0], width, width, width, ends[1]), bias)
    assert set(orbits(space).keys) <= set(orbits(other).keys)


@settings(deadline=None, max_examples=30)
@given(weight_spaces(), st.data())
def test_statistics_are_those_of_each_orbit(space: WeightSpace, data: st.DataObject) -> None:
    found, x, encoder = orbits(space), data.draw(weights(space)), Orbit(space).double()
    encoder.fit(x, space)
    for orbit in range(len(found.keys)):
        members, std = x[:, found.index == orbit], encoder.std[orbit]
        assert torch.allclose(found.mean(x)[orbit], members.mean())
        assert torch.allclose(found.std(x)[orbit], members.std(correction=0))
        assert torch.allclose(encoder.mean[orbit], members.mean().to(std))
        assert torch.allclose(std, members.std(correction=0).to(std)) or (members == members[0, 0]).all()


def test_the_diagonal_of_a_recurrent_weight_is_an_orbit() -> None:
    space = WeightSpace.parse("free h=5\nw h h")
    index = orbits(space).index.reshape(5, 5)
    assert len(orbits(space).keys) == 2
    assert len(index.diagonal().unique()) == 1
    assert (index == index[0, 0]).sum() == 5


def test_attention_pools_over_heads_and_what_depends_on_them() -> None:
    text = "free heads={} key[heads]={} \nfixed model=3\nqk (heads key + heads key) model\nb (heads key) (heads key)"
    small, large = (orbits(WeightSpace.parse(text.format(*sizes))) for sizes in ((2, 2), (5, 4)))
    assert small.keys == large.keys
    assert len(small.keys) == 2 * 3 + 3  # b: same head and key, same head, another head
