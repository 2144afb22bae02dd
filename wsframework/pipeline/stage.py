"""Stages that are done once: keyed by a fingerprint of what they are made from, and resumed after a crash."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
from collections.abc import Callable, Mapping, Set
from importlib import metadata
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

import torch
from torch import Tensor

from wsframework.config.later import told_fields
from wsframework.errors import StoreError
from wsframework.store import load_json, load_tensors, remove_file, save_json, save_tensors

T = TypeVar("T")


def fingerprint(*values: Any) -> str:
    """A hexadecimal name for ``values`` and this version of wsframework: the same in every process.

    Values may be None, booleans, numbers (floats count exactly), strings, paths, tensors, dataclasses, and
    mappings (with string keys), lists, tuples and sets of these. The order of a mapping's keys does not count, nor does
    a key that came `later` and has its default.

    Raises:
        TypeError: for a value of any other type.
    """
    text = json.dumps([metadata.version("wsframework"), *map(_plain, values)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _plain(value: Any) -> Any:
    """``value`` in JSON's types, unlike values kept apart."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, Mapping):
        if not all(isinstance(k, str) for k in value):
            raise TypeError(f"a mapping in a fingerprint has string keys; this one has {sorted(map(repr, value))}")
        return {"": "mapping", "items": {k: _plain(v) for k, v in value.items()}}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: _plain(getattr(value, f.name)) for f in told_fields(value)}
        return {"": type(value).__qualname__, "items": fields}
    if isinstance(value, Set):
        return {"": "set", "items": sorted(json.dumps(_plain(v), sort_keys=True) for v in value)}
    if isinstance(value, Path):
        return {"": "path", "items": str(value)}
    if isinstance(value, Tensor):
        return {"": str(value.dtype), "shape": list(value.shape), "items": _digest(value)}
    raise TypeError(f"a value of type {type(value).__qualname__} has no fingerprint")


def _digest(tensor: Tensor) -> str:
    content = tensor.detach().cpu().contiguous().flatten().view(torch.uint8)
    return hashlib.sha256(content.numpy().tobytes()).hexdigest()


class Staged(NamedTuple, Generic[T]):
    """What a stage came to.

    Attributes:
        value: its result, read back from its files.
        seconds: what it cost when it was computed.
        reused: whether that was in an earlier run.
    """

    value: T
    seconds: float
    reused: bool


class StageCache:
    """The stages that are finished in a run's folder, each with a record ``stages/NAME.json``.

    Arguments:
        folder: of the run.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def stage(
        self,
        name: str,
        fingerprint: str,
        compute: Callable[[], T],
        save: Callable[[T, Path], None],
        load: Callable[[Path], T],
        spent: Callable[[], float] = lambda: 0.0,
    ) -> Staged[T]:
        """The result of stage ``name``: of an earlier run where that holds, else computed and recorded.

        A record holds when its fingerprint is the same and ``load`` raises no `StoreError`. The record is
        removed before anything is computed, and written after ``save`` returned; so a crash at any moment
        leaves a stage that is finished or one that starts again. A computed result, too, is returned as
        ``load`` reads it, so that a resumed run goes on from the same numbers.

        Arguments:
            fingerprint: of the stage's config and of the stages it builds on.
            save, load: writes the result into the run's folder, and reads it from there.
            spent: seconds that interrupted attempts had cost already; called after ``compute``.
        """
        record = self._record(name)
        found = self._recorded_seconds(record, fingerprint)
        if found is not None:
            try:
                return Staged(load(self.folder), found, True)
            except (StoreError, FileNotFoundError):
                pass
        remove_file(record)
        start = time.perf_counter()
        save(compute(), self.folder)
        seconds = time.perf_counter() - start + spent()
        value = load(self.folder)
        save_json(record, {"fingerprint": fingerprint, "seconds": seconds})
        return Staged(value, seconds, False)

    def holds(self, name: str, fingerprint: str) -> bool:
        """Whether stage ``name`` was finished with this fingerprint; its files are not looked at."""
        return self._recorded_seconds(self._record(name), fingerprint) is not None

    def _record(self, name: str) -> Path:
        return self.folder / "stages" / f"{name}.json"

    def _recorded_seconds(self, record: Path, fingerprint: str) -> float | None:
        try:
            found = load_json(record)
            return float(found["seconds"]) if found["fingerprint"] == fingerprint else None
        except (StoreError, KeyError, TypeError, ValueError):
            return None


class Checkpoint:
    """The state of a long stage on its way: one file, replaced as a whole, removed when the stage is done.

    Arguments:
        path: of the safetensors file.
        fingerprint: of the stage; a file with another one is as good as absent.
    """

    def __init__(self, path: Path, fingerprint: str) -> None:
        self.path = path
        self.fingerprint = fingerprint

    def save(self, tensors: Mapping[str, Tensor], counters: Mapping[str, Any]) -> None:
        """Keep ``tensors`` (a generator's state is one, too) and ``counters`` (JSON values)."""
        save_tensors(self.path, tensors, {"fingerprint": self.fingerprint, "counters": json.dumps(dict(counters))})

    def load(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """The tensors and counters last kept; None where there are none of this stage that can be read."""
        try:
            tensors, found = load_tensors(self.path)
        except StoreError:
            return None
        if found.get("fingerprint") != self.fingerprint:
            return None
        return tensors, json.loads(found["counters"])

    def spent(self) -> Callable[[], float]:
        """What the state that is kept now had cost so far (its counter ``seconds``), as `StageCache.stage` asks it."""
        kept = self.load()
        seconds = float(kept[1]["seconds"]) if kept else 0.0
        return lambda: seconds

    def remove(self) -> None:
        """Forget the state: the stage is done."""
        remove_file(self.path)


class Checkpoints:
    """The checkpoints of a stage that trains several things: a file in ``folder`` for each.

    Arguments:
        folder: of these checkpoints and nothing else.
        fingerprint: of the stage.
    """

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self.folder = folder
        self.fingerprint = fingerprint

    def of(self, *values: Any) -> Checkpoint:
        """The checkpoint of the training that ``values`` describe."""
        return Checkpoint(self.folder / f"{fingerprint(*values)[:16]}.safetensors", self.fingerprint)

    def spent(self) -> Callable[[], float]:
        """As `Checkpoint.spent`, of all together."""
        seconds = sum(Checkpoint(path, self.fingerprint).spent()() for path in self._files())
        return lambda: seconds

    def remove(self) -> None:
        """Forget them all: the stage is done."""
        for path in self._files():
            remove_file(path)
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("*.safetensors"))
