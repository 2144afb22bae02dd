"""A zoo's folder gives back what went in, adds up, and says what is damaged."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file
from tiny import REGISTRY, tiny
from torch import Tensor, nn
from zoos_for_tests import perceptron, states, written, zoo

import wsframework as wsf
from wsframework.errors import FileError, RequestError, StoreError
from wsframework.pipeline.single import Run
from wsframework.pipeline.zoo_alone import build_alone
from wsframework.zoo_store import ZooStore
from wsframework.zoos import ZooFolder, export_states, export_zoo, import_zoo, load_zoo, merge_zoos, summary
from wsframework.zoos import importing as importing_module
from wsframework.zoos.layout import Layout

FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
OTHERS = (torch.int64, torch.int8, torch.bool)


def tensor(shape: list[int], dtype: torch.dtype, seed: int) -> Tensor:
    return (torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * 9).to(dtype)


@st.composite
def several_states(draw: st.DrawFn) -> dict[str, dict[str, Tensor]]:
    """Files of networks with the same keys, shapes and dtypes, one weight at least; in either form of file."""
    shapes = st.lists(st.integers(0, 3), max_size=3)
    keys = draw(st.dictionaries(st.from_regex(r"[a-z]{1,4}\.[a-z]{1,4}", fullmatch=True), shapes, max_size=3))
    dtypes = {key: draw(st.sampled_from(FLOATS + OTHERS)) for key in keys} | {"w": draw(st.sampled_from(FLOATS))}
    shaped = {**keys, "w": [2, 2]}
    names = [f"n{i}{draw(st.sampled_from(['.safetensors', '.pt', '.pth']))}" for i in range(draw(st.integers(1, 3)))]
    seeds = st.integers(0, 2**32)
    return {name: {k: tensor(shape, dtypes[k], draw(seeds)) for k, shape in shaped.items()} for name in names}


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    """Bit by bit: keys, dtypes, shapes and numbers."""
    return a.keys() == b.keys() and all(
        a[k].dtype == b[k].dtype and a[k].shape == b[k].shape and bytes(a[k].contiguous().flatten().view(torch.uint8))
        == bytes(b[k].contiguous().flatten().view(torch.uint8))
        for k in a
    )  # fmt: skip


@settings(deadline=None, max_examples=8)
@given(several_states())
def test_networks_come_back_bit_by_bit(found: dict[str, dict[str, Tensor]]) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        source = written(folder / "files", found)
        import_zoo([source], source / "tasks.csv", folder / "zoo")
        read = dict(ZooFolder(folder / "zoo").states())
        export_states(folder / "zoo", folder / "back")
        for file, state in found.items():
            assert same(read[Path(file).stem], state)
            assert same(load_file(folder / "back" / f"{Path(file).stem}.safetensors"), state)
        again = import_zoo([folder / "back"], folder / "back" / "tasks.csv", folder / "again")
        assert ZooFolder(again).content == ZooFolder(folder / "zoo").content


@settings(deadline=None, max_examples=4)
@given(st.lists(st.integers(1, 4), min_size=2, max_size=3))
def test_merged_zoos_add_up(counts: list[int]) -> None:
    with TemporaryDirectory() as name:
        parts = [zoo(Path(name) / f"zoo{i}", count, seed=i) for i, count in enumerate(counts)]
        whole = summary(merge_zoos(parts, Path(name) / "merged"))
        assert whole["networks"] == whole["readable"] == sum(counts)
        assert sum(task["networks"] for task in whole["tasks"]) == sum(counts)
        assert len(whole["tasks"]) == min(max(counts), 2)  # the same tasks in each
        of_parts = [state for part in parts for state in ZooFolder(part).states()]
        merged = list(ZooFolder(Path(name) / "merged").states())
        assert all(a == b and same(x, y) for (a, x), (b, y) in zip(of_parts, merged, strict=True))


def test_equal_content_has_an_equal_digest_and_other_content_another(tmp_path: Path) -> None:
    first, again = zoo(tmp_path / "a" / "zoo"), zoo(tmp_path / "b" / "zoo")
    content = ZooFolder(first).content
    assert ZooFolder(again).content == content == ZooFolder(export_zoo(first, tmp_path / "out")).content
    changed = dict(states(4))
    changed["net-0-2.safetensors"] = {k: v.nextafter(v + 1) for k, v in changed["net-0-2.safetensors"].items()}
    sources = [written(tmp_path / "weight", changed), written(tmp_path / "code", states(4), [(0.5, -1.0), (2.0, 2e-3)])]
    others = [import_zoo([s], s / "tasks.csv", s / "zoo") for s in sources] + [zoo(tmp_path / "fewer", 3)]
    assert len({content, *(ZooFolder(other).content for other in others)}) == 4


def test_what_is_built_alone_is_what_a_run_builds(tmp_path: Path) -> None:
    config = tiny(zoo__size=14, tasks__seen=8, zoo__epochs=1)
    build_alone(config, REGISTRY, tmp_path / "alone")
    run = Run(config, REGISTRY, tmp_path / "run", "cpu")
    in_run = run.zoo
    alone = load_zoo(tmp_path / "alone")
    assert ZooFolder(tmp_path / "alone").content == ZooFolder(tmp_path / "run" / "zoo").content
    assert torch.equal(alone.weights.x, in_run.weights.x)
    assert [task.name for task in alone.tasks] == [task.name for task in in_run.tasks]
    (tmp_path / "alone" / "tasks.json").unlink()  # as folders were without it
    old = load_zoo(tmp_path / "alone")
    assert torch.equal(old.task_index, in_run.task_index)
    assert len(old.tasks) == 8


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A zoo of perceptrons whose module was given."""
    folder = tmp_path_factory.mktemp("traced")
    source = written(folder / "files", states(6))
    inputs = (torch.randn(2, 2),)
    return import_zoo([source], source / "tasks.csv", folder / "zoo", network=perceptron(), inputs=inputs)


def test_symmetries_are_those_of_the_module(traced: Path, tmp_path: Path) -> None:
    found = load_zoo(traced)
    assert found.weights.space.free == {"dim_0": 3}
    assert (found.tasks[0].shape.inputs, found.tasks[0].shape.outputs) == ((2,), (1,))
    module = perceptron()
    module.load_state_dict(found.weights[1], strict=True)
    torch.testing.assert_close(
        module(torch.ones(2)),
        torch.func.functional_call(module, dict(states(6)["net-0-1.safetensors"]), torch.ones(2)),
        rtol=0,
        atol=0,
    )
    with pytest.raises(RequestError, match="example input"):
        import_zoo([traced], traced.parent / "files" / "tasks.csv", tmp_path / "other", network=module)


TIED = wsf.WeightSpace.parse("fixed i=3 o=3\na o i\nb = a\nsteps ()")


@pytest.mark.parametrize("kept", ["ab", "a", "b"])
def test_a_tied_weight_may_have_any_of_its_names(kept: str) -> None:
    a, rest = torch.randn(3, 3).bfloat16(), {"steps": torch.tensor(2**20 + 1), "mask": torch.tensor([True, False])}
    module = {"a": a, "b": a, **rest}
    state = {k: v for k, v in module.items() if k not in "ab" or k in kept}
    layout = Layout.of(state, TIED, module)
    assert not list(layout.mistakes(state))
    assert same(layout.state(*layout.row(state)), state)
    assert layout == Layout.from_json(TIED, json.loads(json.dumps(layout.to_json())))
    told = [*layout.mistakes({**state, "steps": torch.tensor(2**25 + 1)})]
    assert told == ["'steps' has whole numbers that float32 can't hold exactly"]


def test_tied_weights_that_differ_are_told() -> None:
    state = {"a": torch.ones(3, 3), "b": torch.zeros(3, 3), "steps": torch.tensor(1)}
    assert list(Layout.of(state, TIED, state).mistakes(state)) == ["'b' is tied to 'a', and differs from it"]


def test_all_mistakes_are_told_at_once_and_nothing_is_written(tmp_path: Path) -> None:
    found = {name: dict(state) for name, state in states(6).items()}
    keys = list(found)
    found[keys[1]]["0.wieght"] = found[keys[1]].pop("0.weight")
    found[keys[2]]["2.bias"] = torch.zeros(2)
    found[keys[3]]["0.bias"] = torch.tensor([torch.nan, 1.0, torch.inf])
    found[keys[4]]["2.weight"] = found[keys[4]]["2.weight"].half()
    source = written(tmp_path / "files", found)
    (source / keys[5]).write_bytes(b"no tensors")
    lines = (source / "tasks.csv").read_text()
    (source / "tasks.csv").write_text(lines + f"net-0-9.safetensors,task-0,1,1\n{keys[0]},task-1,2.0,0.001\n")
    with pytest.raises(FileError) as raised:
        import_zoo([source, tmp_path / "absent"], source / "tasks.csv", tmp_path / "zoo")
    told = str(raised.value)
    for words in (
        "absent: there is no such file",
        "'0.weight' is missing; did you mean '0.wieght'?",
        "'0.wieght' is no key of these networks",
        "'2.bias' has shape (2,), where (1,) is wanted",
        "'0.bias' has 2 numbers of 3 that are not finite",
        "'2.weight' is of dtype float16",
        f"{keys[5]}: not a readable safetensors file",
        "'net-0-9.safetensors' is listed, and not there",
        f"2 rows have the file '{keys[0]}'",
        "2 rows have the id 'net-0-0'",
        "task 'task-0' has several codes",
    ):
        assert words in told
    assert not (tmp_path / "zoo").exists()


class Evil:
    """What runs code when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("content", [lambda path: {"w": torch.ones(2), "x": Evil(path)}, lambda _: nn.Linear(2, 2)])
def test_a_file_with_code_is_refused_and_does_not_run(tmp_path: Path, content: Callable[[Path], object]) -> None:
    (tmp_path / "files").mkdir()
    torch.save(content(tmp_path / "ran"), tmp_path / "files" / "evil.pt")
    (tmp_path / "tasks.csv").write_text("file,task\nevil.pt,t\n")
    with pytest.raises(FileError, match=r"evil\.pt: holds objects or code"):
        import_zoo([tmp_path / "files"], tmp_path / "tasks.csv", tmp_path / "zoo")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"state_dict": {"w": torch.ones(2)}}, "is it the state dict within"),
        (torch.ones(2), "holds Tensor, and no state dict"),
        ({}, "is empty"),
        ({"w": torch.eye(2).to_sparse()}, "sparse or quantized"),
        ({"n": torch.ones(2, dtype=torch.int64)}, "no file has a weight"),
        (None, r"can't be read as what torch\.save wrote"),
    ],
)
def test_what_is_no_state_dict_is_refused(tmp_path: Path, value: object, words: str) -> None:
    torch.save(value, tmp_path / "a.pt")
    if value is None:
        (tmp_path / "a.pt").write_bytes(b"garbage")
    (tmp_path / "tasks.csv").write_text("file,task\na.pt,t\n")
    with pytest.raises(FileError, match=words):
        import_zoo([tmp_path / "a.pt"], tmp_path / "tasks.csv", tmp_path / "zoo")


def cut(path: Path, kept: float = 0.5) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])


def replaced(folder: Path, **changes: Tensor) -> None:
    """Block 1 with other tensors, and a checksum that agrees."""
    block = ZooFolder(folder).block(1)
    tensors = {"x": block.x, **block.figures, **changes}
    ids = changes.pop("ids", block.ids)  # type: ignore[arg-type]
    ZooStore(folder).append(1, tensors["x"], tensors["loss"], tensors["task_index"], 0.0, ids=ids)  # type: ignore[arg-type]


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a shard cut off": (lambda f: cut(f / "shard-00001.safetensors"), "block 1 is damaged"),
    "a shard gone": (lambda f: (f / "shard-00001.safetensors").unlink(), "block 1 is missing"),
    "another shape": (lambda f: replaced(f, x=torch.zeros(2, 5)), "'x' is (2, 5), not (2, 13)"),
    "no number": (lambda f: replaced(f, x=torch.full((2, 13), torch.nan)), "network 'net-0-2' of block 1 has weights"),
    "an index cut off": (lambda f: cut(f / "index.jsonl", 0.7), "the last line is cut off"),
}  # fmt: skip


@pytest.fixture
def three(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A zoo of blocks of two, two and one."""
    monkeypatch.setattr(importing_module, "BLOCK", 2)
    return zoo(tmp_path / "zoo", 5)


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_told_and_the_rest_is_readable(three: Path, name: str) -> None:
    x = load_zoo(three).weights.x
    harm, words = DAMAGES[name]
    harm(three)
    found = summary(three)["damage"]
    assert any(words in sentence for sentence in found)
    with pytest.raises(StoreError, match="is damaged") as raised:
        load_zoo(three)
    assert all(sentence in str(raised.value) for sentence in found)
    rest = load_zoo(three, skip_damaged=True).weights.x
    lost = [4] if "index" in name else [2, 3]
    assert torch.equal(rest, torch.stack([row for i, row in enumerate(x) if i not in lost]))
    for write in (export_zoo, export_states, lambda f, out: merge_zoos([f, f], out)):
        with pytest.raises(StoreError, match="damaged"):
            write(three, three.with_name("out"))
    assert not three.with_name("out").exists()


def test_a_name_is_of_one_network(three: Path, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="5 ids are of more than one network"):
        merge_zoos([three, three], tmp_path / "out")
    block = ZooFolder(three).block(0)
    ZooStore(three).append(2, block.x, *(block.figures[n] for n in ("loss", "task_index")), 0.0, ids=block.ids)
    assert "2 networks are called 'net-0-1'" in summary(three)["damage"]


def test_zoos_of_several_kinds_are_not_merged(tmp_path: Path) -> None:
    a, b = zoo(tmp_path / "a"), zoo(tmp_path / "b", seed=1, hidden=4)
    with pytest.raises(RequestError, match=r"another weight space.*=4.*=3"):
        merge_zoos([a, b], tmp_path / "out")
    half = {name: {k: v.half() for k, v in state.items()} for name, state in states(2, seed=2).items()}
    source = written(tmp_path / "half", half)
    with pytest.raises(RequestError, match="shapes or dtypes"):
        merge_zoos([a, import_zoo([source], source / "tasks.csv", tmp_path / "c")], tmp_path / "out")


def test_a_full_disk_leaves_what_was_there(three: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {p.name for p in tmp_path.iterdir()}
    x, sync, left = load_zoo(three).weights.x, os.fsync, [4]

    def full(descriptor: int) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    for write in (export_zoo, export_states, lambda f, out: merge_zoos([f], out)):
        left[0] = 4
        with pytest.raises(StoreError, match=r"No space left on device.*nothing was left"):
            write(three, tmp_path / "out")
        assert {p.name for p in tmp_path.iterdir()} == before
    left[0] = 0
    with pytest.raises(StoreError, match="block 3 can't be written, and those before it are kept"):
        ZooStore(three).append(3, x[:1], x[:1, 0], torch.zeros(1), 0.0)
    assert torch.equal(load_zoo(three).weights.x, x)


def test_a_prior_is_fitted_to_networks_of_others(traced: Path, tmp_path: Path) -> None:
    found = wsf.load_zoo(traced)
    prior = wsf.fit_prior(found, conditioner="code", denoiser={"use": "deepsets", "width": 8, "blocks": 1}, steps=2)
    prior.save(tmp_path / "prior")
    again = wsf.Prior.load(tmp_path / "prior")
    task, seeds = found.tasks[1], [torch.Generator().manual_seed(0) for _ in range(2)]
    weights = [p.sample(task, 2, seed) for p, seed in zip((prior, again), seeds, strict=True)]
    assert torch.equal(weights[0].x, weights[1].x)
    perceptron().load_state_dict(weights[0][1], strict=True)
    with pytest.raises(RequestError, match="no data to choose by"):
        prior.sample(task, best_of=2)
    with pytest.raises(RequestError, match="weight space alone"):
        prior.architecture.network(prior.shape)
    with pytest.raises(RequestError, match="output_weight"):
        wsf.fit_prior(found, conditioner="code", steps=2, output_weight=1.0)
    with pytest.raises(RequestError, match="name and code alone"):
        task.objective.score(torch.zeros(1), torch.zeros(1))


@pytest.mark.parametrize("text", [None, "{}", "[]", '{"space": "free", "recipe": {}}'])
def test_what_is_no_zoo_is_named(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "zoo.json").write_text(text)
    with pytest.raises(StoreError, match=str(tmp_path)):
        summary(tmp_path)


def test_a_layout_or_list_of_tasks_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    folder = zoo(tmp_path / "zoo")
    about = json.loads((folder / "zoo.json").read_text())
    for wrong in ({"0.bias": {"shape": [3], "dtype": "float31"}}, {"0.bias": {}}, [1]):
        (folder / "zoo.json").write_text(json.dumps({**about, "layout": wrong}))
        with pytest.raises(StoreError, match="layout"):
            list(ZooFolder(folder).states())
    (folder / "zoo.json").write_text(json.dumps(about))
    (folder / "tasks.json").write_text("{}")
    with pytest.raises(StoreError, match=r"tasks\.json"):
        load_zoo(folder)
