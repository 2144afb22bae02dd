"""`FinishedRun`: what the folder of a run that came to its end says, without doing anything anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from wsframework.errors import RequestError, StoreError
from wsframework.pipeline.curves import Curves, concatenate
from wsframework.store import load_json


@dataclass(frozen=True, eq=False)
class FinishedRun:
    """A run's folder and the content of its ``scores.json``: of one network, an ablation, or a mixed zoo."""

    folder: Path
    scores: Mapping[str, Any]

    @classmethod
    def read(cls, folder: Path) -> FinishedRun:
        """The run in ``folder``.

        Raises:
            RequestError: if there is no such folder, it is no run's, or its run has not come to an end.
            StoreError: if its scores can't be read.
        """
        if not folder.is_dir():
            raise RequestError(f"{folder}: there is no such folder; a report is made of a run's folder{_near(folder)}")
        if (folder / "scores.json").is_file():
            return cls(folder, _checked(folder / "scores.json"))
        if (folder / "config.toml").is_file():
            raise RequestError(
                f"{folder}: this run has not come to its end (there is no scores.json yet); "
                f"`wsf run {folder / 'config.toml'} --out {folder}` goes on with it"
            )
        inside = "" if not _runs(folder) else f"; there are runs in it: {', '.join(map(str, _runs(folder)))}"
        raise RequestError(f"{folder}: no run's folder: it has neither scores.json nor config.toml{inside}")

    @property
    def kind(self) -> str:
        """``run``, ``ablation`` or ``mixed``."""
        return "ablation" if "variants" in self.scores else "mixed" if "networks" in self.scores else "run"

    @property
    def recipe(self) -> str:
        """The config with every default, as TOML; empty where it is not kept."""
        path = self.folder / "config.toml"
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    @cached_property
    def curves(self) -> dict[str, Curves]:
        """Of every initializer, task by task; with ``repeats``, those of all seeds, one after the other.

        Raises:
            StoreError: if they are not in the folder any more.
        """
        return {name: concatenate(tuple(map(Curves.load, self._files(name)))) for name in self.scores["curves"]}

    def _files(self, name: str) -> list[Path]:
        """A file for each seed."""
        repeats, seed = self.scores.get("repeats", 1), self.scores.get("seed", 0)
        folders = [self.folder] if repeats == 1 else [self.folder / f"seed-{seed + k}" for k in range(repeats)]
        return [folder / "curves" / f"{name}.safetensors" for folder in folders]


def _checked(path: Path) -> Mapping[str, Any]:
    """The scores.

    Raises:
        StoreError: where they are something else.
    """
    found = load_json(path)
    if (
        not isinstance(found, dict)
        or not {"versions", "cost"} <= found.keys()
        or not {"curves", "networks"} & found.keys()
    ):
        raise StoreError(f"{path}: these are no scores as a run writes them")
    return found


def _near(folder: Path) -> str:
    found = _runs(folder.parent)
    return f"; beside it: {', '.join(map(str, found))}" if found else ""


def _runs(folder: Path) -> list[Path]:
    """The first finished runs directly in a folder."""
    return sorted(path.parent for path in folder.glob("*/scores.json"))[:5]
