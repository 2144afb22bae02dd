"""Batches of weights go to files and modules, and come back."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from wsframework.errors import SpaceError, StoreError
from wsframework.spaces import Weights, WeightSpace
from wsframework.store import save_tensors
from wsframework.testing.strategies import mlp_space, mlp_spaces, weight_spaces, weights


class Perceptron(nn.Module):
    def __init__(self, *sizes: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))


@settings(deadline=None, max_examples=50)
@given(weight_spaces(), st.sampled_from([torch.float32, torch.float64, torch.bfloat16]), st.data())
def test_a_file_brings_them_back(space: WeightSpace, dtype: torch.dtype, data: st.DataObject) -> None:
    saved = Weights(space, data.draw(weights(space, dtype=torch.float64)).to(dtype))
    with TemporaryDirectory() as folder:
        saved.save(Path(folder) / "weights.safetensors")
        found = Weights.load(Path(folder) / "weights.safetensors")
    assert found.space == space
    assert found.x.dtype == dtype
    assert torch.equal(found.x, saved.x)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(1, 6), min_size=2, max_size=5), st.integers(1, 4))
def test_modules_load_their_state_strictly(sizes: list[int], count: int) -> None:
    space = mlp_space(sizes)
    modules = [Perceptron(*sizes) for _ in range(count)]
    batch = Weights.from_state_dicts(space, [m.state_dict() for m in modules])
    assert len(batch) == count
    for state, module in zip(batch, modules, strict=True):
        other = Perceptron(*sizes)
        other.load_state_dict(state, strict=True)
        for name, value in module.state_dict().items():
            assert torch.equal(other.state_dict()[name], value)


@settings(deadline=None, max_examples=30)
@given(mlp_spaces(), st.data())
def test_a_member_is_a_copy_and_parameters_are_views(space: WeightSpace, data: st.DataObject) -> None:
    batch = Weights(space, data.draw(weights(space)))
    before = batch.x.clone()
    for value in batch[0].values():
        value.zero_()
    assert torch.equal(batch.x, before)
    for value in batch.parameters().values():
        assert value.shape[0] == len(batch)
        value.zero_()
    assert not batch.x.any()


def test_what_does_not_fit_is_refused() -> None:
    space = mlp_space((2, 3, 1))
    state = Perceptron(2, 3, 1).state_dict()
    with pytest.raises(SpaceError, match=r"shape \(batch, 13\); these have \(13,\)"):
        Weights(space, torch.ones(13))
    with pytest.raises(SpaceError, match=r"these have \(1, 12\)"):
        Weights(space, torch.ones(1, 12))
    with pytest.raises(SpaceError, match="at least one state dict"):
        Weights.from_state_dicts(space, [])
    with pytest.raises(SpaceError, match=r"no parameter 'extra'"):
        Weights.from_state_dicts(space, [state, {**state, "extra": torch.ones(1)}])
    with pytest.raises(SpaceError, match=r"'layers.1.bias' is missing"):
        Weights.from_state_dicts(space, [{n: v for n, v in state.items() if n != "layers.1.bias"}])
    with pytest.raises(SpaceError, match=r"'layers.0.weight' has shape \(4, 2\)"):
        Weights.from_state_dicts(space, [Perceptron(2, 4, 1).state_dict()])


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    with pytest.raises(StoreError, match=r"w\.safetensors: no such file"):
        Weights.load(path)
    path.write_bytes(b"not tensors")
    with pytest.raises(StoreError, match=r"w\.safetensors: not a readable"):
        Weights.load(path)
    save_tensors(path, {"x": torch.ones(2)})
    with pytest.raises(StoreError, match="names no weight space"):
        Weights.load(path)
