"""Tokens have all that touches a neuron, and move with it; pooled ones forget the order of everything else."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from reaching import reached
from torch import Tensor

from wsframework.errors import SpaceError
from wsframework.spaces import NeuronTokens, Symmetry, WeightSpace, neuron_tokens, pooled_tokens
from wsframework.testing.strategies import mlp_spaces, symmetries, weight_spaces, weights

ATTENTION = """
    fixed model=2
    free heads=3 value[heads]=2
    fixed key[heads]=2
    in_proj   (heads key + heads key + heads value) model
    in_bias   (heads key + heads key + heads value)
    out_proj  model (heads value)
    tau       ()"""
GROUPED = """
    fixed group=2 k=3
    free c[group]=3
    weight  (group c) (group c) k
    bias    (group c)"""
DEEP = """
    free a=2 b[a]=3 c[b]=4
    fixed k=2
    weight  (a b c) k
    other   a b c
    bias    (a b c)"""
written = st.sampled_from([ATTENTION, GROUPED, DEEP]).map(WeightSpace.parse)
every_space = weight_spaces() | mlp_spaces() | written


@st.composite
def spaces_with_dims(draw: st.DrawFn, spaces: st.SearchStrategy[WeightSpace] = every_space) -> tuple[WeightSpace, str]:
    """A space and one of its free dims."""
    space = draw(spaces)
    assume(space.free)
    return space, draw(st.sampled_from(list(space.free)))


def touched(space: WeightSpace, dim: str) -> Tensor:
    """The coordinates of blocks in which ``dim`` occurs, in order."""
    blocks = [b for b in space.blocks() if any(o.dim == dim for o in b.occurrences)]
    found = [space.block_index(b).flatten() for b in blocks]
    return torch.cat([torch.empty(0, dtype=torch.long), *found]).sort().values


def parts(tokens: NeuronTokens, x: Tensor) -> tuple[Tensor, ...]:
    """The segments of the tokens of ``x``."""
    return tokens.gather(x).split([length for _, length in tokens.segments], dim=-1)


@given(spaces_with_dims(), st.data())
def test_tokens_come_back(found: tuple[WeightSpace, str], data: st.DataObject) -> None:
    space, dim = found
    tokens, x = neuron_tokens(space, dim), data.draw(weights(space))
    assert torch.allclose(tokens.scatter(tokens.gather(x), x), x, rtol=1e-15, atol=0)
    blank = tokens.scatter(tokens.gather(x), torch.zeros_like(x))
    assert torch.equal(blank.nonzero(), torch.where(blank != 0, x, 0).nonzero())
    assert torch.equal(blank[0].nonzero().flatten(), touched(space, dim))


@given(spaces_with_dims(), st.data())
def test_an_entry_is_in_the_tokens_of_the_elements_that_it_touches(
    found: tuple[WeightSpace, str], data: st.DataObject
) -> None:
    space, dim = found
    tokens = neuron_tokens(space, dim)
    occurs = torch.zeros(space.size, dtype=torch.long)
    for block in space.blocks():
        occurs[space.block_index(block).flatten()] = sum(o.dim == dim for o in block.occurrences)
    assert torch.equal(torch.bincount(tokens.index.flatten(), minlength=space.size), occurs)
    assert sum(length for _, length in tokens.segments) == tokens.index.shape[1]


def only(space: WeightSpace, dim: str, g: Symmetry) -> Symmetry:
    """What g does to ``dim``, and nothing else."""
    identity = space.identity_symmetry()
    return replace(identity, permutations={**identity.permutations, dim: g.permutations[dim]})


@given(spaces_with_dims(), st.data())
def test_permuting_a_dim_permutes_its_tokens(found: tuple[WeightSpace, str], data: st.DataObject) -> None:
    space, dim = found
    assume(all(sum(o.dim == dim for o in block.occurrences) <= 1 for block in space.blocks()))
    tokens, x = neuron_tokens(space, dim), data.draw(weights(space))
    g = only(space, dim, data.draw(symmetries(space, gauge=False)))
    assert torch.equal(tokens.gather(g.act(x)), tokens.gather(x)[:, tokens.elements.moved(g)])


@given(spaces_with_dims(), st.data())
def test_any_element_permutes_tokens_and_the_entries_of_each_segment(
    found: tuple[WeightSpace, str], data: st.DataObject
) -> None:
    space, dim = found
    tokens, x = neuron_tokens(space, dim), data.draw(weights(space))
    g = data.draw(symmetries(space, gauge=False))
    for new, old in zip(parts(tokens, g.act(x)), parts(tokens, x), strict=True):
        assert torch.equal(new.sort().values, old[:, tokens.elements.moved(g)].sort().values)


@given(spaces_with_dims(), st.data())
def test_pooled_tokens_move_with_their_dim_and_with_no_other(
    found: tuple[WeightSpace, str], data: st.DataObject
) -> None:
    space, dim = found
    tokens, x = pooled_tokens(space, dim), data.draw(weights(space))
    g = data.draw(symmetries(space, gauge=False))
    moved = tokens.gather(x)[:, tokens.elements.moved(g)]
    assert torch.allclose(tokens.gather(g.act(x)), moved, rtol=1e-12, atol=1e-12)


def swaps(space: WeightSpace) -> list[Symmetry]:
    """Every exchange of two elements of a free dim, in each element of what it is within."""
    found = []
    for name, identity in space.identity_symmetry().permutations.items():
        rows, size = identity.numel() // identity.shape[-1], identity.shape[-1]
        for row, pair in itertools.product(range(rows), itertools.combinations(range(size), 2)):
            g = space.identity_symmetry()
            line = g.permutations[name].view(-1, size)[row]
            line[list(pair)] = line[list(pair)[::-1]]
            found.append(g)
    return found


@settings(max_examples=50)
@given(spaces_with_dims(weight_spaces(max_size=100) | written))
def test_what_is_pooled_is_what_the_permutations_that_keep_an_element_connect(found: tuple[WeightSpace, str]) -> None:
    space, dim = found
    tokens, every = pooled_tokens(space, dim), swaps(space)
    names = [key.rsplit("[", 1)[0] for key in tokens.keys]
    moved = [tokens.elements.moved(g) for g in every]
    for token in {0, tokens.elements.nodes // 2, tokens.elements.nodes - 1}:
        keeping = [g for g, there in zip(every, moved, strict=True) if there[token] == token]
        classes = reached(space, keeping)
        mine = tokens.token == token
        rows = zip(tokens.coordinate[mine].tolist(), tokens.key[mine].tolist(), strict=True)
        pairs = {(names[key], key, int(classes[coordinate])) for coordinate, key in rows}
        assert len(pairs) == len({key for _, key, _ in pairs}) == len({(name, c) for name, _, c in pairs})


@given(spaces_with_dims(), st.data())
def test_pooled_tokens_are_means_of_what_the_tokens_have(found: tuple[WeightSpace, str], data: st.DataObject) -> None:
    space, dim = found
    x = data.draw(weights(space))
    whole, pooled = neuron_tokens(space, dim), pooled_tokens(space, dim)
    means, squares = pooled.gather(x).chunk(2, dim=-1)
    counts = torch.zeros(pooled.elements.nodes, len(pooled.keys)).index_put(
        (pooled.token, pooled.key), torch.ones(len(pooled.key)), accumulate=True
    )
    assert torch.allclose((means * counts).sum(-1), whole.gather(x).sum(-1), rtol=1e-10, atol=1e-10)
    assert torch.allclose((squares * counts).sum(-1), whole.gather(x).square().sum(-1), rtol=1e-10, atol=1e-10)


def test_the_tokens_of_a_perceptron_are_what_comes_in_and_goes_out() -> None:
    space = WeightSpace.parse("free h=3\nfixed i=2 o=1\nw1 h i\nb1 h\nw2 o h\nb2 o")
    x = torch.arange(float(space.size))
    state = space.unflatten(x)
    wanted = torch.cat([state["w1"], state["b1"][:, None], state["w2"].T], dim=1)
    assert torch.equal(neuron_tokens(space, "h").gather(x), wanted)
    assert torch.equal(pooled_tokens(space, "h").gather(x), torch.cat([wanted, wanted.square()], dim=1))


def test_tokens_of_heads_and_of_what_is_within_them() -> None:
    space = WeightSpace.parse(ATTENTION)
    x = torch.arange(float(space.size))
    heads, values = neuron_tokens(space, "heads"), neuron_tokens(space, "value")
    assert [length for _, length in heads.segments] == [4, 4, 4, 2, 2, 2, 4]
    assert [length for _, length in values.segments] == [2, 1, 2]
    assert values.gather(x).shape == (6, 5)
    assert pooled_tokens(space, "value").keys == (
        "in_proj@2+0:1[0]", "in_proj@2+0:1[1]", "in_bias@2:1[]", "out_proj:2[0]", "out_proj:2[1]"
    )  # fmt: skip
    ins = pooled_tokens(space, "heads").gather(x)[..., :4]
    assert torch.equal(ins[0], x[:4])  # fixed positions are kept: two keys, two inputs


def test_the_diagonal_of_a_recurrent_weight_is_apart() -> None:
    space = WeightSpace.parse("free h=3\nw h h")
    x = torch.arange(9.0)
    off, on = pooled_tokens(space, "h").gather(x)[:, :2].T
    assert torch.equal(on, torch.tensor([0.0, 4.0, 8.0]))
    assert torch.equal(off, torch.tensor([1.5, 4.0, 6.5]))
    assert neuron_tokens(space, "h").segments == (("w:0", 3), ("w:1", 3))


def test_what_does_not_fit_is_refused() -> None:
    space = WeightSpace.parse("free hidden=3\nw hidden hidden")
    tokens = neuron_tokens(space, "hidden")
    with pytest.raises(SpaceError, match="no dim 'hiden' in this space; did you mean 'hidden'"):
        neuron_tokens(space, "hiden")
    for gather in (tokens.gather, pooled_tokens(space, "hidden").gather):
        with pytest.raises(SpaceError, match="x has 8 coordinates; the space of these tokens has 9"):
            gather(torch.zeros(8))
    with pytest.raises(SpaceError, match=r"these tokens have shape \(3, 6\); given was \(6, 3\)"):
        tokens.scatter(torch.zeros(6, 3), torch.zeros(9))


def test_a_dim_that_occurs_nowhere_has_empty_tokens() -> None:
    space = WeightSpace.parse("free a=2 b=3\nw a")
    x = torch.zeros(4, 2)
    assert neuron_tokens(space, "b").gather(x).shape == (4, 3, 0)
    assert pooled_tokens(space, "b").gather(x).shape == (4, 3, 0)
    assert torch.equal(neuron_tokens(space, "b").scatter(torch.zeros(4, 3, 0), x), x)
