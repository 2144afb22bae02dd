"""Rivals from outside: where each is looked for, how it is installed, and what it answered."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wsframework.benchmarks.rivals.judging import Verdict
from wsframework.errors import RequestError

VARIABLE = "WSF_RIVALS"
"""The folder in which each rival has a folder."""

_LONGEST = 1800  # seconds


@dataclass(frozen=True)
class Rival:
    """A package on PyPI.

    Attributes:
        module: what judges it, run in a process of its own.
        needs: what it imports besides torch, numpy and scipy.
    """

    name: str
    version: str
    module: str
    needs: tuple[str, ...]

    @property
    def folder(self) -> Path | None:
        """Where it is installed; None where it isn't."""
        folder = Path(os.environ.get(VARIABLE, "rivals")) / self.name
        return folder if folder.is_dir() else None

    @property
    def how(self) -> str:
        """How to install it."""
        wanted = " ".join((f"{self.name}=={self.version}", *self.needs))
        return f"not installed: pip install --no-deps --target ${VARIABLE}/{self.name} {wanted}"


RIVALS = (
    Rival("rebasin", "0.0.47", "rebasin", ("torchview", "graphviz", "tqdm")),
    Rival("sinkhorn-rebasin", "0.0.2", "sinkhorn_rebasin", ("torchviz", "graphviz")),
)


def verdicts(rival: Rival, networks: Iterable[str]) -> dict[str, Verdict] | None:
    """What ``rival`` does to each network; None where it isn't installed.

    Raises:
        RequestError: where its process ended before the last network, with the last line that it wrote.
    """
    if rival.folder is None:
        return None
    path = os.pathsep.join([str(rival.folder.resolve()), *sys.path])
    done = subprocess.run(
        [sys.executable, "-m", f"wsframework.benchmarks.rivals.{rival.module}", *networks],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=_LONGEST,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise RequestError(f"the process of {rival.name} ended early: {lines[-1]}")
    return dict(_read(json.loads(line)) for line in done.stdout.splitlines())


def _read(line: dict[str, Any]) -> tuple[str, Verdict]:
    return line["network"], Verdict(tuple(line["group"]), line["change"], line["error"])
