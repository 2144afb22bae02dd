"""Files are whole or absent; a zoo's blocks are as they were meant, or are built again."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wsframework.errors import StoreError
from wsframework.spaces import WeightSpace
from wsframework.store import PARTIAL, load_json, load_tensors, save_json, save_tensors, write_atomic
from wsframework.zoo_store import ZooStore

SPACE = WeightSpace.parse("free hidden=3\nfixed in=2\nweight hidden in\nbias hidden")
DTYPES = (torch.float32, torch.float64, torch.bfloat16, torch.int64, torch.uint8, torch.bool)

tensors = st.builds(
    lambda shape, dtype, seed: (torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * 9).to(dtype),
    st.lists(st.integers(0, 4), max_size=3),
    st.sampled_from(DTYPES),
    st.integers(0, 2**32),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=8,
)
names = st.text(st.characters(codec="utf-8"), min_size=1).filter(lambda name: name != "__metadata__")


@pytest.fixture
def zoo(tmp_path: Path) -> ZooStore:
    store = ZooStore(tmp_path / "zoo")
    store.begin(SPACE, {"lr": 0.1})
    return store


def append(zoo: ZooStore, block: int, count: int = 5, seconds: float = 1.5) -> torch.Tensor:
    x = torch.randn(count, SPACE.size, generator=torch.Generator().manual_seed(block))
    zoo.append(block, x, x.sum(1), torch.arange(count), seconds)
    return x


@settings(deadline=None, max_examples=50)
@given(st.dictionaries(names, tensors, max_size=3), st.dictionaries(names, st.text(st.characters(codec="utf-8"))))
def test_tensors_come_back_exactly(saved: dict[str, torch.Tensor], metadata: dict[str, str]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "new" / "file.safetensors"
        save_tensors(path, saved, metadata)
        found, found_metadata = load_tensors(path)
    assert found_metadata == metadata
    assert found.keys() == saved.keys()
    for name, value in saved.items():
        assert found[name].dtype == value.dtype
        assert torch.equal(found[name], value)


def test_views_and_shared_tensors_are_saved(tmp_path: Path) -> None:
    x = torch.arange(12.0).reshape(3, 4)
    saved = {"whole": x, "row": x[1], "transposed": x.T, "expanded": x[:, :1].expand(3, 5), "scalar": x[0, 0]}
    save_tensors(tmp_path / "f", saved)
    found, _ = load_tensors(tmp_path / "f")
    assert all(torch.equal(found[name], value) for name, value in saved.items())


@settings(deadline=None, max_examples=50)
@given(json_values)
def test_json_comes_back_exactly(value: object) -> None:
    with TemporaryDirectory() as folder:
        save_json(Path(folder) / "f.json", value)
        assert load_json(Path(folder) / "f.json") == value


@pytest.mark.parametrize("load", [load_tensors, load_json, lambda path: ZooStore(path.parent).space()])
@pytest.mark.parametrize("content", [None, b"", b"\xff{", b"\x10\0\0\0\0\0\0\0{}"])
def test_an_unreadable_file_is_named(tmp_path: Path, load: object, content: bytes | None) -> None:
    path = tmp_path / "zoo.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StoreError, match=r"zoo\.json"):
        load(path)  # type: ignore[operator]


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_a_truncated_tensor_file_is_refused(data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "f.safetensors"
        save_tensors(path, {"x": torch.arange(10.0)})
        content = path.read_bytes()
        path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
        with pytest.raises(StoreError, match="safetensors"):
            load_tensors(path)


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_the_umask_is_honoured(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        write_atomic(tmp_path / "text", "x")
        save_tensors(tmp_path / "tensors", {"x": torch.ones(2)})
    finally:
        os.umask(before)
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_atomic(tmp_path / "f", "old")

    def full(_: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        write_atomic(tmp_path / "f", "new")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("f", "old")]


@settings(deadline=None, max_examples=20)
@given(st.permutations(range(4)), st.integers(1, 5))
def test_a_zoo_is_its_blocks_in_order(order: list[int], count: int) -> None:
    with TemporaryDirectory() as folder:
        zoo = ZooStore(Path(folder))
        zoo.begin(SPACE, {})
        x = {block: append(zoo, block, count) for block in order}
        found = zoo.load()
        assert torch.equal(found["x"], torch.cat([x[b] for b in range(4)]))
        assert found["loss"].shape == found["task_index"].shape == (4 * count,)
        assert torch.equal(zoo.load([2, 0])["x"], torch.cat([x[2], x[0]]))
        assert zoo.seconds() == 6.0
        assert zoo.seconds([1]) == 1.5
        assert zoo.space() == SPACE


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_a_torn_line_costs_its_block_only(data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        zoo = ZooStore(Path(folder))
        zoo.begin(SPACE, {})
        append(zoo, 0)
        whole = (zoo.folder / "index.jsonl").read_bytes()
        append(zoo, 1)
        both = (zoo.folder / "index.jsonl").read_bytes()
        kept = data.draw(st.integers(len(whole), len(both)))
        (zoo.folder / "index.jsonl").write_bytes(both[:kept])
        assert zoo.blocks() == ({0} if kept < len(both) - 1 else {0, 1})  # the newline itself may be missing
        append(zoo, 2)
        assert zoo.blocks() >= {0, 2}
        append(zoo, 1)
        assert zoo.blocks() == {0, 1, 2}


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_a_damaged_shard_does_not_hold(data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        zoo = ZooStore(Path(folder))
        zoo.begin(SPACE, {})
        x = [append(zoo, block) for block in range(3)]
        path = zoo.folder / zoo.listed()[1].file
        content = path.read_bytes()
        place = data.draw(st.integers(0, len(content) - 1))
        flipped = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
        damage = data.draw(st.sampled_from([content[:place], flipped, None]))
        path.unlink() if damage is None else path.write_bytes(damage)
        assert zoo.blocks() == {0, 2}
        with pytest.raises(StoreError, match="block 1 is damaged"):
            zoo.load()
        append(zoo, 1)
        assert torch.equal(zoo.load()["x"], torch.cat(x))


def test_what_is_not_there_is_named(zoo: ZooStore) -> None:
    with pytest.raises(StoreError, match="holds no networks"):
        zoo.load()
    append(zoo, 0)
    with pytest.raises(StoreError, match="block 1 is not there"):
        zoo.load(range(2))


def test_another_recipe_or_space_starts_anew(zoo: ZooStore) -> None:
    append(zoo, 0)
    assert zoo.begin(SPACE, {"lr": 0.1})
    assert zoo.blocks() == {0}
    assert not zoo.begin(SPACE, {"lr": 0.1 + 1e-17 + 1e-16})
    assert zoo.blocks() == set()
    append(zoo, 0)
    other = WeightSpace.parse("fixed in=2\nweight in")
    assert not zoo.begin(other, {"lr": 0.1 + 1e-17 + 1e-16})
    assert zoo.blocks() == set()
    assert zoo.space() == other


SCENARIOS = (
    "at_random_moments",
    "at_every_line",
    "at_every_line_of_a_new_recipe",
    "while_others_read",
    "lock_of_a_killed_process",
)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_killed(tmp_path: Path, scenario: str) -> None:
    script = Path(__file__).with_name("killed_writer.py")
    found = subprocess.run([sys.executable, script, scenario, tmp_path], capture_output=True, text=True, timeout=120)
    assert found.returncode == 0, found.stderr
    if "line" in scenario:
        assert list(tmp_path.glob(f".*{PARTIAL}")), "no child died while it wrote: the test shows nothing"
