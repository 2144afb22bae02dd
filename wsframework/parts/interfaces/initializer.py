"""`Initializer`: from a task to weights, by whatever it learns from a `Setting`."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import torch
from torch import Tensor

from wsframework.parts.interfaces.architecture import Architecture
from wsframework.parts.interfaces.part import Part
from wsframework.tasks import Task, TaskShape
from wsframework.zoo import Zoo

if TYPE_CHECKING:
    from wsframework.prior import Prior


@dataclass(frozen=True, eq=False)
class Setting:
    """What an initializer may learn from: seen tasks and the zoo only.

    Attributes:
        zoo: trained networks with their tasks.
        architecture: of the networks.
        shape: of the tasks.
        features: standardised descriptors of all seen tasks, (tasks, features).
        describe: tasks to standardised descriptors, (tasks, features).
        prior: the run's trained prior, where there is one.
        train_prior: trains a further prior, given changes to the run's ``[train]`` options and to its `Design`
            (other parts, other sampling steps): the way in of hypernetwork and plain denoising.
        generator: the source of all randomness in `Initializer.fit`.
    """

    zoo: Zoo
    architecture: Architecture
    shape: TaskShape
    features: Tensor
    describe: Callable[[Sequence[Task]], Tensor]
    prior: Prior | None
    train_prior: Callable[[Mapping[str, Any], Mapping[str, Any]], Prior]
    generator: torch.Generator


class Initializer(Part):
    """Anything that turns a task into weights.

    Attributes:
        role: how reports group it: "learned" (from the zoo or seen tasks), "untrained", "control".
    """

    kind = "initializer"
    role: ClassVar[Literal["learned", "untrained", "control"]] = "learned"

    @abstractmethod
    def fit(self, setting: Setting) -> None:
        """Learn from the setting.

        Raises:
            NotApplicable: where this setting has no answer, in a sentence.
        """

    @abstractmethod
    def weights(self, tasks: Sequence[Task], draws: int, generator: torch.Generator) -> Tensor:
        """Weights for each task, (tasks, draws, size). Deterministic initializers repeat their answer."""
