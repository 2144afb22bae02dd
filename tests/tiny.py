"""A config so small that a whole run takes two seconds, and what runs on it are asked for."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wsframework.config.changing import changed
from wsframework.config.resolving import resolve
from wsframework.config.sections import Config
from wsframework.events import Event, Finished
from wsframework.parts.entrypoints import load_registry

REGISTRY = load_registry()

TABLES = tomllib.loads("""
name = "tiny"
tasks = { use = "gaussians", seen = 32, validation = 6, held_out = 8, points = 24, query = 16 }
network = { use = "mlp", widths = [4] }
zoo = { size = 32, epochs = 2, block = 12 }
scheduler = { use = "ddpm", steps = 10 }
denoiser = { use = "deepsets", width = 16, blocks = 2 }
train = { steps = 20, batch = 8, lr = 0.01 }
sample = { best_of = 3 }
finetune = { epochs = 2, batch = 8 }
compare = { initializers = ["random", "nearest", "prior"] }
""")


def tiny(**changes: Any) -> Config:
    """The config with dotted keys changed; ``__`` stands for the dot."""
    return made({key.replace("__", "."): value for key, value in changes.items()})


def made(changes: Mapping[str, Any], tables: Mapping[str, Any] = TABLES) -> Config:
    """The config of ``tables`` with dotted keys changed."""
    mistakes: list[str] = []
    config, further = resolve(changed(tables, changes, mistakes), REGISTRY)
    assert config is not None, mistakes + further
    return config


class Heard:
    """An observer that keeps the stages' ends."""

    def __init__(self) -> None:
        self.finished: dict[str, Finished] = {}

    def __call__(self, event: Event) -> None:
        if isinstance(event, Finished):
            self.finished[event.stage] = event

    def reused(self) -> set[str]:
        """The stages that an earlier run had finished."""
        return {stage for stage, event in self.finished.items() if event.reused}


def without_cost(scores: Mapping[str, Any]) -> dict[str, Any]:
    """Scores less what they cost, and what is reckoned from that, which is another each time."""
    return {key: value for key, value in scores.items() if key not in ("cost", "break_even")}


def files(folder: Path) -> set[str]:
    """Every file of a folder, by its relative path."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def pairs() -> list[tuple[str, str]]:
    """The built-in encoders and denoisers, by name, that go together."""
    fixed = {"pca", "sane"}  # their latents have no free dim
    equivariant = {name for name, part in REGISTRY.parts("denoiser").items() if part.symmetry} | {"guided"}
    return [
        (encoder, denoiser)
        for encoder in sorted(REGISTRY.parts("encoder"))
        for denoiser in sorted(REGISTRY.parts("denoiser"))
        if denoiser not in equivariant or encoder not in fixed
    ]


PAIRS = pairs()
QUICK = {"sane": {"steps": 2, "width": 8, "blocks": 1, "heads": 2}}
"""Options of parts that take long otherwise."""
