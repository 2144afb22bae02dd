"""`Zoo`: a set of points in a weight space, each labelled with the task that it was trained for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from torch import Tensor

from wsframework.errors import NotApplicable
from wsframework.spaces import Weights
from wsframework.tasks import Task


@dataclass(frozen=True, eq=False)
class Snapshot:
    """All networks of a zoo at one moment of their training.

    Attributes:
        epoch: how many passes over their tasks' data they had made.
        weights: the networks then.
        loss: training loss of each then, (networks,).
    """

    epoch: int
    weights: Weights
    loss: Tensor


@dataclass(frozen=True, eq=False)
class Zoo:
    """Trained networks and their tasks.

    Attributes:
        weights: the networks, of one space.
        task_index: for each network, the position in ``tasks`` of the task it was trained for, (networks,).
        tasks: the seen tasks. There may be more of them than networks: tasks are cheap, networks less so.
        loss: final training loss of each network, (networks,).
        trajectory: the same networks on their way, in the order of time, where that was asked for.
    """

    weights: Weights
    task_index: Tensor
    tasks: Sequence[Task]
    loss: Tensor
    trajectory: Sequence[Snapshot] = ()

    def __len__(self) -> int:
        return len(self.weights)

    def facts(self) -> dict[str, Any]:
        """How large it is, and how well its networks were trained."""
        return {"size": len(self), "train_loss": float(self.loss.mean())}


class NoZoo(Zoo):
    """That of networks that are not in the zoo: there are seen tasks, and whatever else is asked is refused.

    Arguments:
        tasks: the seen tasks.
    """

    def __init__(self, tasks: Sequence[Task]) -> None:
        object.__setattr__(self, "tasks", tasks)

    @property
    def weights(self) -> NoReturn:
        """None.

        Raises:
            NotApplicable: always.
        """
        raise NotApplicable("no network of this architecture is in the zoo")

    task_index = loss = weights

    def facts(self) -> dict[str, Any]:
        """That it is empty."""
        return {"size": 0}
