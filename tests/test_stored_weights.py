"""Networks on disk: their rows are those in memory, a prior trained on either is the same, a damaged file is named."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny import REGISTRY, tiny

from wsframework.errors import StoreError
from wsframework.pipeline import train, zoo
from wsframework.pipeline.single import Run
from wsframework.spaces import Weights, WeightSpace
from wsframework.store import save_tensors
from wsframework.stored_weights import StoredWeights

SPACE = WeightSpace.parse("free h=3\nfixed i=2\nw h i\nb h")


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Weights, StoredWeights]:
    """The same networks in memory and in three files."""
    folder, x = (
        tmp_path_factory.mktemp("stored"),
        torch.randn(13, SPACE.size, generator=torch.Generator().manual_seed(0)),
    )
    paths = [folder / f"{k}.safetensors" for k in range(3)]
    for path, rows in zip(paths, x.split((5, 1, 7)), strict=True):
        save_tensors(path, {"x": rows, "loss": rows[:, 0]})
    return Weights(SPACE, x), StoredWeights(SPACE, paths)


@given(st.lists(st.integers(0, 12), max_size=20))
def test_rows_are_those_in_memory(both: tuple[Weights, StoredWeights], index: list[int]) -> None:
    memory, stored = both
    at = torch.tensor(index, dtype=torch.long)
    assert torch.equal(stored.rows(at), memory.rows(at))


@given(st.integers(1, 15))
def test_pieces_and_a_spread_are_those_in_memory(both: tuple[Weights, StoredWeights], networks: int) -> None:
    memory, stored = both
    most = 4 * SPACE.size * networks
    assert torch.equal(torch.cat(list(stored.pieces(most))), memory.x)
    assert all(len(piece) <= networks for piece in stored.pieces(most))
    assert torch.equal(stored.spread(most), memory.spread(most))
    assert len(memory.spread(most)) == min(networks, 13)
    assert torch.equal(stored[12]["w"], memory[12]["w"])


def test_a_prior_is_the_same_whether_its_zoo_is_in_memory_or_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for limit in (zoo.IN_MEMORY, 0):
        monkeypatch.setattr(zoo, "IN_MEMORY", limit)
        run = Run(tiny(zoo__size=31, train__epochs=2, train__steps=0), REGISTRY, tmp_path / str(limit), "cpu")
        assert isinstance(run.zoo.weights, StoredWeights) == (limit == 0)
        found.append(
            [run.prior.state_dict(), *(run.initial(name).x for name in ("member", "nearest", "ridge", "mean"))]
        )
    assert all(torch.equal(value, found[1][0][name]) for name, value in found[0][0].items())
    assert all(torch.equal(a, b) for a, b in zip(found[0][1:], found[1][1:], strict=True))


def test_encoders_see_a_part_of_a_zoo_that_is_too_large(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    run = Run(tiny(encoder__use="coordinate", train__steps=1), REGISTRY, tmp_path, "cpu")
    monkeypatch.setattr(train, "FITTED", 4 * run.space.size * 2)
    assert torch.allclose(run.prior.encoder.mean, run.zoo.weights.x[[0, -1]].mean(0))


@pytest.mark.parametrize(
    ("tensors", "sentence"),
    [
        ({"x": torch.zeros(2, 4)}, "have 4 weights, and this space 9"),
        ({"x": torch.zeros(2, 9).half()}, "F16"),
        ({}, "'x'"),
    ],
)
def test_a_file_of_something_else_is_named(tmp_path: Path, tensors: dict[str, torch.Tensor], sentence: str) -> None:
    save_tensors(tmp_path / "a.safetensors", tensors)
    with pytest.raises(StoreError, match=rf"a\.safetensors.*{sentence}"):
        StoredWeights(SPACE, [tmp_path / "a.safetensors"])


def test_a_file_that_ends_early_is_named(tmp_path: Path) -> None:
    save_tensors(tmp_path / "a.safetensors", {"x": torch.zeros(4, 9)})
    stored = StoredWeights(SPACE, [tmp_path / "a.safetensors"])
    content = (tmp_path / "a.safetensors").read_bytes()
    (tmp_path / "a.safetensors").write_bytes(content[:-1])
    assert torch.equal(stored.rows(torch.tensor([0, 2])), torch.zeros(2, 9))
    with pytest.raises(StoreError, match="ends within network 3"):
        stored.rows(torch.tensor([3]))
