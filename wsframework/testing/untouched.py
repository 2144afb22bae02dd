"""What a call has to leave as it was: all that it is given, and torch's global generator."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from wsframework.parts.interfaces import Setting
from wsframework.tasks import Task
from wsframework.testing.check import require


@contextmanager
def leaves(call: str, given: Mapping[str, Any]) -> Iterator[None]:
    """Refute ``call``, which runs within this context, where it changes anything of ``given`` in place."""
    before = {name: copy.deepcopy(value) for name, value in given.items()}
    yield
    for name, value in given.items():
        kept = torch.equal(value, before[name]) if isinstance(value, Tensor) else value == before[name]
        require(kept, f"{call} changed {name} in place")


@contextmanager
def leaves_generator() -> Iterator[None]:
    """Refute what runs within this context where it moves torch's global generator."""
    state = torch.get_rng_state()
    yield
    require(torch.equal(torch.get_rng_state(), state), "it moves torch's global generator")


def of_task(task: Task) -> dict[str, Any]:
    """All of a task that can be changed in place, by the words for it."""
    found = {
        "the inputs of the support data": task.support.x,
        "the labels or targets of the support data": task.support.y,
        "the inputs of the query data": task.query.x,
        "the labels or targets of the query data": task.query.y,
        "the code": task.code,
        "the facts": task.facts,
    }
    return {f"{name} of task {task.name}": value for name, value in found.items() if value is not None}


def of_setting(setting: Setting) -> dict[str, Any]:
    """All of a setting that can be changed in place: the zoo, the features, and the prior's parameters."""
    zoo = setting.zoo
    state = setting.prior.state_dict() if setting.prior else {}
    found = {
        "the zoo's networks": zoo.weights.x,
        "the zoo's index of tasks": zoo.task_index,
        "the zoo's losses": zoo.loss,
        "the features": setting.features,
        **{f"the prior's {name}": value.detach() for name, value in state.items()},
    }
    for task in zoo.tasks:
        found.update(of_task(task))
    return found
