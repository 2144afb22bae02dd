"""What config.json says of a prior: its parts, the tasks that it serves, what it was trained on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from wsframework.config.later import later
from wsframework.config.sections import PartConfig
from wsframework.errors import StoreError
from wsframework.store import load_json, save_json
from wsframework.tasks import TaskShape, objective_name
from wsframework.zoo import Zoo

Prediction = Literal["epsilon", "v", "clean"]


@dataclass(frozen=True)
class Design:
    """What a prior is composed of.

    Attributes:
        network, encoder, conditioner, scheduler, denoiser: the parts and their options.
        predict: what the denoiser's output means.
        steps: sampling steps (0: the scheduler's own grid).
        sampler: the scheduler that samples, where it is not the one of training.
    """

    network: PartConfig
    encoder: PartConfig
    conditioner: PartConfig
    scheduler: PartConfig
    denoiser: PartConfig
    predict: Prediction = "v"
    steps: int = 0
    sampler: PartConfig | None = later(None)

    @property
    def parts(self) -> dict[str, PartConfig]:
        """The parts by their role."""
        return {name: part for name, part in vars(self).items() if isinstance(part, PartConfig)}


@dataclass(frozen=True)
class Origin:
    """What a prior was trained on.

    Attributes:
        objective: of its tasks, a name in `wsframework.tasks.OBJECTIVES`; empty for one of a family's own.
        networks, tasks: how many (0: not known).
    """

    objective: str = ""
    networks: int = 0
    tasks: int = 0

    @classmethod
    def of(cls, zoo: Zoo) -> Origin:
        """The origin of a prior that is trained on ``zoo``."""
        return cls(objective_name(zoo.tasks[0].objective), len(zoo), len(zoo.tasks))


@dataclass(frozen=True)
class Place:
    """Where a prior's networks stand in a mixed zoo, with which it shares its denoiser.

    Attributes:
        union: the latents of every network of the zoo side by side, in the notation of spaces.
        member, group: the prefixes of this prior's latent there (`wsframework.spaces.prefixed`).
        fitted: the space of the networks that its encoder was fitted to; empty where these were its own.
    """

    union: str
    member: str
    group: str
    fitted: str = ""


@dataclass(frozen=True)
class PriorConfig:
    """All that a prior is made from, but for its tensors; ``place`` only where it comes from a mixed zoo."""

    design: Design
    shape: TaskShape
    origin: Origin
    place: Place | None = None

    def save(self, path: Path) -> None:
        """One JSON file, written atomically."""
        save_json(path, asdict(self))

    @classmethod
    def load(cls, path: Path) -> PriorConfig:
        """What `save` wrote.

        Raises:
            StoreError: where the file is missing, or says something else.
        """
        saved = load_json(path)
        try:
            design, shape = _read(saved["design"]), _read(saved["shape"])
            place = Place(**saved["place"]) if saved.get("place") else None
            return cls(Design(**design), TaskShape(**shape), Origin(**saved["origin"]), place)
        except (KeyError, TypeError) as error:
            raise StoreError(
                f"{path}: this is not what this version says of a prior ({error}); if an earlier one wrote it, "
                "train the prior again"
            ) from None


def _read(saved: Any) -> Any:
    """What JSON holds in the place of parts and tuples, as it was."""
    if isinstance(saved, list):
        return tuple(map(_read, saved))
    if isinstance(saved, dict):
        values = {key: _read(value) for key, value in saved.items()}
        return PartConfig(**values) if set(saved) == {"use", "options"} else values
    return saved
