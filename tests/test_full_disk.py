"""Where nothing more can be written, a sentence says so; what was finished is kept, and the same command goes on."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import tomlkit
import torch
from tiny import REGISTRY, TABLES, Heard
from typer.testing import CliRunner

from wsframework.cli.app import app
from wsframework.config.reading import read_config
from wsframework.errors import StoreError
from wsframework.pipeline.single import Run
from wsframework.spaces import WeightSpace
from wsframework.zoo_store import ZooStore

SPACE = WeightSpace.parse("free h=3\nfixed i=2\nw h i\nb h")


@contextmanager
def largest(size: int) -> Iterator[None]:
    """No file grows beyond so many bytes: the system refuses what a full disk would refuse."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def append(store: ZooStore, block: int, count: int) -> torch.Tensor:
    x = torch.randn(count, SPACE.size, generator=torch.Generator().manual_seed(block))
    store.append(block, x, x.sum(1), torch.arange(count), 1.0)
    return x


def begun(folder: Path, blocks: int) -> tuple[ZooStore, list[torch.Tensor]]:
    store = ZooStore(folder)
    store.begin(SPACE, {})
    return store, [append(store, block, 2) for block in range(blocks)]


def test_a_block_that_does_not_fit_leaves_those_before_it(tmp_path: Path) -> None:
    store, x = begun(tmp_path, 2)
    before = {path.name for path in tmp_path.iterdir()}
    with largest(2**13), pytest.raises(StoreError, match="block 2 can't be written, and those before it are kept"):
        append(store, 2, 1000)
    assert {path.name for path in tmp_path.iterdir()} == before
    assert torch.equal(store.load()["x"], torch.cat(x))
    x.append(append(store, 2, 1000))
    assert torch.equal(store.load()["x"], torch.cat(x))


@pytest.mark.parametrize("room", [0, 1, 40])
def test_a_line_of_the_index_that_does_not_fit_costs_its_block(tmp_path: Path, room: int) -> None:
    store, x = begun(tmp_path, 6)
    index = tmp_path / "index.jsonl"
    assert index.stat().st_size > max(path.stat().st_size for path in tmp_path.glob("*.safetensors"))
    with largest(index.stat().st_size + room), pytest.raises(StoreError, match="block 6 can't be written"):
        append(store, 6, 2)
    assert store.blocks() == set(range(6))
    x.append(append(store, 6, 2))
    assert torch.equal(store.load()["x"], torch.cat(x))


def test_a_run_ends_in_a_sentence_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    (tmp_path / "tiny.toml").write_text(tomlkit.dumps({**TABLES, "compare": {"initializers": ["prior"]}}))
    words = ["run", str(tmp_path / "tiny.toml"), "--out", str(tmp_path / "out"), "--device", "cpu"]
    with largest(2**13):  # the zoo fits, the prior does not
        stopped = CliRunner().invoke(app, words)
    assert stopped.exit_code == 1
    assert "wsf: nothing more can be written (File too large); what was finished is kept" in stopped.stderr
    assert not (tmp_path / "out" / "prior" / "model.safetensors").exists()
    heard = Heard()
    again = Run(read_config(tmp_path / "tiny.toml", REGISTRY), REGISTRY, tmp_path / "out", "cpu", heard)
    assert len(again.prior.sample(again.judged[0])) == 1
    assert heard.reused() == {"zoo"}
