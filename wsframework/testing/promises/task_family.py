"""What every task family promises."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import cast

import torch
from hypothesis import strategies as st
from torch import Tensor

from wsframework.parts.interfaces import TaskFamily
from wsframework.tasks import OBJECTIVES, Data, Objective, Task, TaskBatch, TaskSplits, objective_name
from wsframework.testing.check import may_decline, promised, require
from wsframework.testing.subject import Subject

SPLITS = ("seen", "validation", "held_out")
NEAR = 1e-5
"""How far codes differ at most, relative, that are one: more than rounding, and less than what tells tasks apart."""


@dataclass(frozen=True, eq=False)
class FamilyCase:
    """How many tasks of each split are drawn."""

    subject: Subject
    seen: int
    validation: int
    held_out: int
    seed: int

    def __str__(self) -> str:
        return f"{self.seen} seen, {self.validation} validation and {self.held_out} held-out tasks, seed {self.seed}"

    def family(self) -> TaskFamily:
        """As its options say."""
        with may_decline():
            return cast(TaskFamily, self.subject.build())

    def splits(self, family: TaskFamily | None = None) -> TaskSplits:
        """The tasks that the family draws (default: a new one)."""
        generator = torch.Generator().manual_seed(self.seed)
        with may_decline():
            return (family or self.family()).draw(self.seen, self.validation, self.held_out, generator)

    def tasks(self, family: TaskFamily | None = None) -> Iterator[Task]:
        """Those of all splits."""
        splits = self.splits(family)
        yield from (*splits.seen, *splits.validation, *splits.held_out)


def any_case(subject: Subject) -> st.SearchStrategy[FamilyCase]:
    """A few tasks of each split, or none."""
    return st.builds(
        FamilyCase, st.just(subject), st.integers(1, 6), st.integers(0, 4), st.integers(0, 4), st.integers(0, 2**16)
    )


@promised("task_family", any_case, may_decline_all=False)
def counts(case: FamilyCase) -> None:
    """It draws as many tasks of each split as asked for, and says in a sentence how."""
    splits = case.splits()
    for split in SPLITS:
        found, wanted = len(getattr(splits, split)), getattr(case, split)
        require(found == wanted, f"it drew {found} {split} tasks, not {wanted}")
    require(bool(splits.drawn.strip()), "it does not say how the tasks were drawn")


@promised("task_family", any_case)
def serves(case: FamilyCase) -> None:
    """Every task has the family's shape: inputs, labels below the number of classes or targets, and the code."""
    shape = case.family().shape
    for task in case.tasks():
        require(task.shape == shape, f"task {task.name} has {task.shape}, and the family {shape}")
        for name, data in (("support", task.support), ("query", task.query)):
            fault = _fault(data, task)
            require(not fault, f"the {name} data of task {task.name} {fault}")
        code = () if task.code is None else tuple(task.code.shape)
        wanted = (shape.code,) if shape.code else ()
        require(code == wanted, f"task {task.name} has a code of shape {code}, not {wanted}")
        require(task.code is None or bool(task.code.isfinite().all()), f"the code of task {task.name} is not finite")


def _fault(data: Data, task: Task) -> str:
    """What is wrong with data, or nothing; what targets are for an objective of the family's own, is its affair."""
    shape, points = task.shape, len(data)
    if points == 0:
        return "are empty"
    if tuple(data.x.shape) != (points, *shape.inputs):
        return f"have inputs {tuple(data.x.shape)}, not {(points, *shape.inputs)}"
    if not data.x.isfinite().all():
        return "have inputs that are not finite"
    if not objective_name(task.objective):
        right = len(data.y) == points and bool(data.y.isfinite().all())
        return "" if right else f"have targets {tuple(data.y.shape)}, not {points} rows of finite ones"
    if data.y.is_floating_point():
        right = tuple(data.y.shape) == (points, *shape.outputs) and bool(data.y.isfinite().all())
        return "" if right else f"have targets {tuple(data.y.shape)}, not finite ones {(points, *shape.outputs)}"
    if len(data.y) != points or int(data.y.min()) < 0:
        return f"have labels {tuple(data.y.shape)} from {int(data.y.min())}"
    own = data.y.dim() > 1 and tuple(data.y.shape[1:]) != shape.outputs[:-1]  # labels of an objective of its own
    known = own or int(data.y.max()) < shape.outputs[-1]
    return "" if known else f"have the label {int(data.y.max())}, and there are {shape.outputs[-1]} classes"


@promised("task_family", any_case)
def judges(case: FamilyCase) -> None:
    """Every task's objective gives a finite loss for each example and a finite metric, and has a name for it."""
    for task in case.tasks():
        objective = task.objective
        require(isinstance(objective, Objective), f"the objective of task {task.name} lacks a method of `Objective`")
        require(bool(objective.metric), f"the metric of task {task.name} has no name")
        outputs = torch.randn(len(task.query), *task.shape.outputs, requires_grad=True)
        losses = objective.losses(outputs, task.query.y)
        require(losses.shape[0] == len(task.query), f"task {task.name} has losses of shape {tuple(losses.shape)}")
        require(losses.isfinite().all(), f"task {task.name} has a loss that is not finite")
        require(objective.score(outputs, task.query.y).isfinite().all(), f"the metric of {task.name} is not finite")
        (gradient,) = torch.autograd.grad(losses.sum(), outputs, allow_unused=True)
        require(gradient is not None and bool(gradient.any()), f"the loss of {task.name} has no gradient to outputs")


@promised("task_family", any_case)
def repeats(case: FamilyCase) -> None:
    """Equal generators draw equal tasks, others draw others, whatever torch's global generator says."""
    drawn, family = [], case.family()
    for seed in (1, 2):
        torch.manual_seed(seed)
        drawn.append([_content(task) for task in case.tasks(family)])
    same = all(torch.equal(a, b) for a, b in zip(*drawn, strict=True))
    require(same, "two draws with equal generators differ")
    other = FamilyCase(case.subject, case.seen, case.validation, case.held_out, case.seed + 1)
    changed = any(not torch.equal(a, _content(b)) for a, b in zip(drawn[0], other.tasks(), strict=True))
    require(changed, "another generator draws the same tasks")


def _content(task: Task) -> Tensor:
    """Everything that a network for the task could learn, as one vector."""
    code = task.code if task.code is not None else torch.zeros(0)
    parts = (task.support.x, task.support.y, task.query.x, task.query.y, code)
    return torch.cat([part.double().flatten() for part in parts])


@promised("task_family", any_case)
def parts(case: FamilyCase) -> None:
    """No task is there twice, by its name or by its examples, in whatever order; and no code lies in two splits.

    Tasks have the same examples where support and query data together are the same, whichever is which, or where
    the support data are and the codes, too.
    """
    splits = case.splits()
    of_split: list[Sequence[Task]] = [getattr(splits, split) for split in SPLITS]
    for first, second in combinations(of_split, 2):
        near = next((f"{a.name} and {b.name}" for a in first for b in second if _one_code(a, b)), "")
        require(not near, f"tasks {near} have one code, and lie in two splits")
    tasks = [task for split in of_split for task in split]
    names = [task.name for task in tasks]
    twice = next((name for name in names if names.count(name) > 1), "")
    require(not twice, f"two tasks are called {twice!r}")
    for one, other in combinations(_Told.all(tasks), 2):
        require(one.examples != other.examples, f"tasks {one.task.name} and {other.task.name} have the same examples")
        again = one.support == other.support and (one.task.code is None or _one_code(one.task, other.task))
        require(not again, f"tasks {one.task.name} and {other.task.name} have the same support data and code")


def _one_code(one: Task, other: Task) -> bool:
    """Whether two codes are the same, but for less than what tells tasks apart."""
    if one.code is None or other.code is None or one.code.shape != other.code.shape:
        return False
    return torch.allclose(one.code.double(), other.code.double(), rtol=NEAR, atol=NEAR)


@dataclass(frozen=True, eq=False)
class _Told:
    """A task and its examples, in no order: those of the support data, and all."""

    task: Task
    support: Counter[bytes]
    examples: Counter[bytes]

    @classmethod
    def all(cls, tasks: Sequence[Task]) -> list[_Told]:
        """Of every task."""
        rows = [(task, _rows(task.support), _rows(task.query)) for task in tasks]
        return [cls(task, support, support + query) for task, support, query in rows]


def _rows(data: Data) -> Counter[bytes]:
    """How often each example is there."""
    points = len(data)
    rows = torch.cat([data.x.double().reshape(points, -1), data.y.double().reshape(points, -1)], 1)
    return Counter(row.tobytes() for row in (rows + 0.0).numpy())  # so that no zero has a sign


@promised("task_family", any_case)
def withholds(case: FamilyCase) -> None:
    """A task's query examples are others than its support examples."""
    for task in case.tasks():
        known = {row.tobytes() for row in task.support.x.flatten(1).numpy()}
        leaked = sum(row.tobytes() in known for row in task.query.x.flatten(1).numpy())
        require(not leaked, f"{leaked} query examples of task {task.name} are support examples, too")


@promised("task_family", any_case)
def stacks(case: FamilyCase) -> None:
    """Tasks have equally many support examples, and equally many query examples, so that they train side by side."""
    tasks = list(case.tasks())
    sizes = {(len(task.support), len(task.query)) for task in tasks}
    require(len(sizes) == 1, f"tasks have support and query examples of the numbers {sorted(sizes)}")
    batch = TaskBatch.of(tasks)
    require(batch.support.x.shape[0] == len(tasks), "the tasks can't be stacked")


@promised("task_family", any_case)
def pictures(case: FamilyCase) -> None:
    """If it has canvases, they are inputs and right outputs, and outputs there make a curve or an image in [0, 1]."""
    family = case.family()
    for task in case.tasks(family):
        canvas = family.canvas(task)
        if canvas is None:
            continue
        fault = _fault(canvas, replace(task, objective=OBJECTIVES["regression"]))
        require(not fault and canvas.y.is_floating_point(), f"the canvas of task {task.name} {fault or 'has labels'}")
        if task.shape.inputs != (1,):
            _require_image(family.picture(canvas.y), task)
            _require_image(family.picture(torch.randn(canvas.y.shape)), task)


def _require_image(image: Tensor, task: Task) -> None:
    form = image.dim() == 2 or (image.dim() == 3 and image.shape[-1] == 3)
    require(form, f"a picture of task {task.name} has shape {tuple(image.shape)}, not that of an image")
    right = bool(((image >= 0) & (image <= 1)).all())
    require(right, f"a picture of task {task.name} leaves [0, 1]")


CHECKS = (counts, serves, judges, repeats, parts, withholds, stacks, pictures)
