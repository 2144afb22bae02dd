"""Flat coordinates and parameters are two views of one thing."""

from __future__ import annotations

import copy
import math
import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wsframework.errors import SpaceError
from wsframework.spaces import WeightSpace
from wsframework.testing.strategies import mlp_spaces, weight_spaces, weights

SPACE = WeightSpace.parse("free hidden=3\nfixed in=2\nlayer.weight hidden in\nlayer.bias hidden")


@settings(deadline=None)
@given(weight_spaces(), st.data())
def test_unflatten_and_flatten_are_inverse(space: WeightSpace, data: st.DataObject) -> None:
    x = data.draw(weights(space))
    for flat in (x, x[0], x[None]):
        parameters = space.unflatten(flat)
        assert {n: tuple(v.shape) for n, v in parameters.items()} == {
            n: (*flat.shape[:-1], *shape) for n, shape in space.shapes.items()
        }
        assert torch.equal(space.flatten(parameters), flat)
        assert torch.equal(space.flatten(dict(reversed(parameters.items()))), flat)


@settings(deadline=None)
@given(weight_spaces(), st.data())
def test_unflatten_copies_nothing(space: WeightSpace, data: st.DataObject) -> None:
    x = data.draw(weights(space))
    strided = torch.randn(2, space.size, 3)[..., 1]
    for flat in (x, x[0], strided, x[:1].expand(4, -1)):
        for value in space.unflatten(flat).values():
            assert value.untyped_storage().data_ptr() == flat.untyped_storage().data_ptr()


@settings(deadline=None)
@given(weight_spaces(max_size=500))
def test_blocks_partition_the_coordinates(space: WeightSpace) -> None:
    found = torch.cat([torch.zeros(0, dtype=torch.long), *(space.block_index(b).flatten() for b in space.blocks())])
    assert found.sort().values.tolist() == list(range(space.size))


@settings(deadline=None)
@given(mlp_spaces())
def test_sizes_agree_with_the_modules(space: WeightSpace) -> None:
    shapes = space.shapes
    for name, (out, into) in ((n, s) for n, s in shapes.items() if n.endswith("weight")):
        linear = torch.nn.Linear(into, out, bias=name.replace("weight", "bias") in shapes)
        for kind, value in linear.state_dict().items():
            assert shapes[name.replace("weight", kind)] == tuple(value.shape)
    assert space.size == sum(math.prod(s) for s in shapes.values())
    assert list(space.offsets) == list(shapes)


@settings(deadline=None)
@given(weight_spaces(), weight_spaces())
def test_spaces_are_keys(a: WeightSpace, b: WeightSpace) -> None:
    again = WeightSpace.parse(str(a))
    assert hash(a) == hash(again)
    assert (a == b) == (str(a) == str(b))
    assert pickle.loads(pickle.dumps(a)) == copy.deepcopy(a) == a
    assert "_hash" not in pickle.loads(pickle.dumps(a)).__dict__  # strings hash differently in another process


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"layer.bias": None}, "parameter 'layer.bias' is missing"),
        ({"layer.bias": None, "layer.bia": torch.ones(3)}, "no parameter 'layer.bia' in this space; did you mean"),
        ({"layer.bias": torch.ones(4)}, r"'layer.bias' has shape \(4,\); this space says \(3,\)"),
        ({"layer.weight": torch.ones(2, 3)}, r"'layer.weight' has shape \(2, 3\)"),
        ({"layer.weight": torch.ones(6)}, r"'layer.weight' has shape \(6,\)"),
        ({"layer.weight": torch.tensor(1.0)}, r"'layer.weight' has shape \(\)"),
        ({"layer.bias": torch.ones(5, 3)}, r"'layer.bias' has batch \(5,\); those before it have \(\)"),
    ],
)
def test_what_does_not_fit_is_named(change: dict[str, torch.Tensor | None], sentence: str) -> None:
    state = {"layer.weight": torch.ones(3, 2), "layer.bias": torch.ones(3)} | change
    state = {name: value for name, value in state.items() if value is not None}
    with pytest.raises(SpaceError, match=sentence):
        SPACE.flatten(state)
    with pytest.raises(SpaceError, match=sentence):
        SPACE.random_symmetry().act(state)


def test_wrong_sizes_and_dims_are_named() -> None:
    with pytest.raises(SpaceError, match="x has 8 coordinates; this space has 9"):
        SPACE.unflatten(torch.ones(8))
    with pytest.raises(SpaceError, match="no dim 'hiden' in this space; did you mean 'hidden'"):
        SPACE.dim("hiden")
