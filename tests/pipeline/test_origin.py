"""Who edits a part gets new results from it, and keeps those that it has no share in."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest
from parts_for_tests import small_registry
from tiny import Heard, tiny

from wsframework.config.sections import Config, PartConfig
from wsframework.parts.entrypoints import load_registry
from wsframework.parts.registry import Registry
from wsframework.pipeline.origin import origin, source_digest
from wsframework.pipeline.run import run

NETWORK = """
from wsf_networks.mlp import Mlp


class Mine(Mlp):
    '''A perceptron.'''

    name = "mine"
"""

DENOISER = """
from wsf_equivariant.deepsets import Deepsets


class Mine(Deepsets):
    '''Sets.'''

    name = "mine"

    def __init__(self, space, condition_size, *, width: int = 16) -> None:
        super().__init__(space, condition_size, width=width, blocks=2)
"""

INITIALIZER = """
from wsf_initializers.undescribed import Mean


class Mine(Mean):
    '''A mean.'''

    name = "mine"
"""

numbers = itertools.count()


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Registry, dict[str, Path]]]:
    """A registry with three parts of a stranger's, and their files; every look at them is as in a new process."""
    monkeypatch.syspath_prepend(str(tmp_path))
    registry, files = load_registry(), {}
    for kind, source in {"network": NETWORK, "denoiser": DENOISER, "initializer": INITIALIZER}.items():
        package = f"{kind}_for_test_{next(numbers)}"
        files[kind] = tmp_path / package / "part.py"
        files[kind].parent.mkdir()
        (files[kind].parent / "__init__.py").touch()
        files[kind].write_text(source)
        registry.add(import_module(f"{package}.part").Mine, package)
    yield registry, files
    for path in files.values():
        for name in [name for name in sys.modules if name.startswith(path.parent.name)]:
            del sys.modules[name]
    source_digest.cache_clear()


def config() -> Config:
    plain = tiny(compare__initializers=("random", "prior", "mean"))
    compare = replace(plain.compare, initializers=("random", "prior", "mine"), options={"mine": {}})
    mine = PartConfig("mine")
    return replace(plain, network=mine, denoiser=mine, compare=compare)


def reused(registry: Registry, folder: Path) -> set[str]:
    heard = Heard()
    source_digest.cache_clear()
    run(config(), registry, folder, "cpu", heard)
    return heard.reused()


def edit(path: Path) -> None:
    path.write_text(f"{path.read_text()}\n# another line\n")


@pytest.mark.slow
def test_an_edit_reruns_what_the_part_has_a_share_in(mine: tuple[Registry, dict[str, Path]], tmp_path: Path) -> None:
    registry, files = mine
    folder = tmp_path / "run"
    assert reused(registry, folder) == set()
    everything = reused(registry, folder)
    assert {"zoo", "prior", "initialize-mine", "initialize-random"} <= everything
    edit(files["initializer"])
    assert everything - reused(registry, folder) == {"initialize-mine"}  # the weights came out the same
    edit(files["denoiser"])
    again = reused(registry, folder)
    assert "zoo" in again
    assert not {"prior", "initialize-prior"} & again
    edit(files["network"])
    assert reused(registry, folder) == set()


def test_a_file_beside_the_part_counts_and_other_files_do_not(mine: tuple[Registry, dict[str, Path]]) -> None:
    registry, files = mine
    before = origin(registry, "denoiser", PartConfig("mine"))
    (files["denoiser"].parent / "notes.txt").write_text("notes")
    source_digest.cache_clear()
    assert origin(registry, "denoiser", PartConfig("mine")) == before
    (files["denoiser"].parent / "layers.py").write_text("# layers")
    source_digest.cache_clear()
    assert origin(registry, "denoiser", PartConfig("mine")) != before


def test_parts_within_parts_count() -> None:
    registry = small_registry()
    inner = PartConfig("orbit")
    assert len(origin(registry, "encoder", inner)) == 1
    assert len(origin(registry, "encoder", PartConfig("wrapper", {"inner": inner, "many": (inner, inner)}))) == 4


def test_what_has_no_file_has_no_digest() -> None:
    assert source_digest("sys") == ""
