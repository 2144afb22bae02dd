"""`Curves`: what fine-tuning from one initializer gave, task by task and draw by draw."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import torch
from torch import Tensor

from wsframework.errors import StoreError
from wsframework.store import load_tensors, save_tensors


@dataclass(frozen=True, eq=False)
class Curves:
    """What fine-tuning from one initializer gave; all tensors have leading axes (tasks, draws).

    Attributes:
        initializer: its name.
        train_loss: loss over the whole support set, (tasks, draws, epochs + 1); index 0 is before any step.
        query_loss: the same on query data.
        query_metric: the task's metric on query data, same shape.
        epoch_loss: mean of the minibatch losses during each epoch, (tasks, draws, epochs).
        step_loss: loss over the whole support set at the step numbers in ``steps``, (tasks, draws, evaluations).
        steps: gradient steps at which ``step_loss`` was taken, increasing, the first 0, the last the budget.
    """

    initializer: str
    train_loss: Tensor
    query_loss: Tensor
    query_metric: Tensor
    epoch_loss: Tensor
    step_loss: Tensor
    steps: tuple[int, ...]

    def __post_init__(self) -> None:
        leading = {t.shape[:2] for t in self.to_tensors().values()}
        lengths = {self.train_loss.shape[-1], self.query_loss.shape[-1], self.query_metric.shape[-1]}
        lengths.add(self.epoch_loss.shape[-1] + 1)
        if len(leading) != 1 or len(lengths) != 1 or self.step_loss.shape[-1] != len(self.steps):
            shapes = {name: tuple(t.shape) for name, t in self.to_tensors().items()}
            raise ValueError(f"curves of {self.initializer!r} don't fit each other: {shapes}, {len(self.steps)} steps")

    @property
    def tasks(self) -> int:
        """The number of tasks: the units that intervals are taken over."""
        return self.train_loss.shape[0]

    @property
    def draws(self) -> int:
        """The number of draws a task."""
        return self.train_loss.shape[1]

    def to_tensors(self) -> dict[str, Tensor]:
        """The tensors by name, without ``initializer`` and ``steps``."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("initializer", "steps")}

    @classmethod
    def from_tensors(cls, initializer: str, steps: tuple[int, ...], tensors: Mapping[str, Tensor]) -> Curves:
        """The inverse of `to_tensors`."""
        return cls(initializer, steps=steps, **tensors)

    def save(self, path: Path) -> None:
        """One safetensors file; name and step numbers stand in its metadata."""
        tensors = {name: t.detach().cpu().contiguous().clone() for name, t in self.to_tensors().items()}
        save_tensors(path, tensors, {"initializer": self.initializer, "steps": json.dumps(self.steps)})

    @classmethod
    def load(cls, path: Path) -> Curves:
        """The curves that `save` wrote.

        Raises:
            StoreError: if the file is no safetensors file, or was not written by `save`.
        """
        tensors, metadata = load_tensors(path)
        try:
            return cls.from_tensors(metadata["initializer"], tuple(json.loads(metadata["steps"])), tensors)
        except (KeyError, TypeError, ValueError) as error:
            raise StoreError(f"{path}: not curves as Curves.save writes them ({error})") from None


def concatenate(parts: tuple[Curves, ...]) -> Curves:
    """Curves of one initializer over the tasks of all ``parts``, in order; budgets and draws must agree."""
    first = parts[0]
    if any((p.initializer, p.steps, p.draws) != (first.initializer, first.steps, first.draws) for p in parts):
        raise ValueError("curves of different initializers, step numbers or draws can't be pooled")
    tensors = {name: torch.cat([p.to_tensors()[name] for p in parts]) for name in first.to_tensors()}
    return Curves.from_tensors(first.initializer, first.steps, tensors)
