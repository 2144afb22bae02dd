"""`TaskList`: what a zoo's folder says of its tasks, so that it can be read without the run that made it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from wsframework.errors import StoreError
from wsframework.store import load_json, save_json, told
from wsframework.tasks import OBJECTIVES, Task, TaskShape, objective_name

FILE = "tasks.json"


@dataclass(frozen=True)
class Entry:
    """One task.

    Attributes:
        name: as networks name it.
        code: a description in numbers, where it has one.
        text: a description in words, or empty.
        origin: what the task was drawn from, as a digest: tasks without a code are the same only where their origins
            are. Empty for tasks that were not drawn.
    """

    name: str
    code: tuple[float, ...] | None = None
    text: str = ""
    origin: str = ""

    @property
    def identity(self) -> tuple[Any, ...]:
        """What two entries share if they are of the same task."""
        return self.name, self.code, self.text, "" if self.code is not None else self.origin


@dataclass(frozen=True)
class TaskList:
    """The tasks of a zoo, in the order that ``task_index`` counts in.

    Attributes:
        shape: of all of them; ``()`` for inputs and outputs that are not known.
        objective: a name in `wsframework.tasks.OBJECTIVES`, or empty.
        entries: the tasks.
    """

    shape: TaskShape
    objective: str
    entries: tuple[Entry, ...]

    @classmethod
    def of(cls, tasks: Sequence[Task], recipe: Mapping[str, Any]) -> TaskList:
        """That of the ``tasks`` of a run with this recipe of its zoo."""
        origin = drawn(recipe)
        codes = [None if t.code is None else tuple(t.code.double().tolist()) for t in tasks]
        entries = tuple(Entry(t.name, code, t.text, origin) for t, code in zip(tasks, codes, strict=True))
        return cls(tasks[0].shape, objective_name(tasks[0].objective), entries)

    def tasks(self) -> list[Task]:
        """The tasks, without data."""
        objective = OBJECTIVES.get(self.objective)
        return [
            Task.described(e.name, self.shape, None if e.code is None else torch.tensor(e.code), e.text, objective)
            for e in self.entries
        ]

    def save(self, folder: Path) -> None:
        """The file ``tasks.json`` in ``folder``."""
        with told(f"{folder / FILE}: can't be written"):
            save_json(folder / FILE, asdict(self))

    @classmethod
    def load(cls, folder: Path) -> TaskList:
        """What `save` wrote.

        Raises:
            StoreError: where the file is missing, or says something else.
        """
        saved = load_json(folder / FILE)
        try:
            shape = TaskShape(tuple(saved["shape"]["inputs"]), tuple(saved["shape"]["outputs"]), saved["shape"]["code"])
            return cls(shape, saved["objective"], tuple(_entry(entry) for entry in saved["entries"]))
        except (KeyError, TypeError) as error:
            raise StoreError(f"{folder / FILE}: this is no list of a zoo's tasks ({error!r})") from None


def note_tasks(folder: Path, tasks: Sequence[Task], recipe: Mapping[str, Any]) -> None:
    """Say in a zoo's ``folder`` what its ``tasks`` are called; of runs that share it, the one with most tasks does."""
    wanted = TaskList.of(tasks, recipe)
    try:
        held = TaskList.load(folder).entries
    except StoreError:
        held = ()
    if held[: len(wanted.entries)] != wanted.entries:
        wanted.save(folder)


def _entry(saved: Mapping[str, Any]) -> Entry:
    return Entry(**{**saved, "code": None if saved["code"] is None else tuple(map(float, saved["code"]))})


def drawn(recipe: Mapping[str, Any]) -> str:
    """A digest of what a run's tasks are drawn from: the family, its options, the seed."""
    tasks = {key: value for key, value in recipe.get("tasks", {}).items() if key != "seen"}
    text = json.dumps([tasks, recipe.get("seed")], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def unnamed(count: int, recipe: Mapping[str, Any]) -> TaskList:
    """The list for a zoo that has none: so many tasks, of which only the numbers are known."""
    return TaskList(TaskShape((), ()), "", tuple(Entry(f"task-{i}", origin=drawn(recipe)) for i in range(count)))
