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
from wsframework.tasks import OBJECTIVES, Data, Task, TaskBatch, TaskSplits, objective_name
from wsframework.testing.check import may_decline, promised, require
from wsframework.testing.likeness import of_one_code, of_one_content, shared_inputs
from wsframework.testing.promises.objective import fault_of_objective
from wsframework.testing.subject import Subject
from wsframework.testing.untouched import leaves_generator

SPLITS = ("seen", "validation", "held_out")


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


def large_case(subject: Subject) -> Sequence[FamilyCase]:
    """More tasks than are generated."""
    return [FamilyCase(subject, 400, 100, 200, 0)]


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
    """Every task's objective gives each example a loss of its own, which depends on its label or target, is finite
    for large outputs too, and does not fall where the metric, finite and with a name, gets worse.

    Losses and metrics of several networks at once are those of each, and networks that agree vote for what each says.
    """
    for task in case.tasks():
        fault = fault_of_objective(task)
        require(not fault, f"{fault}, in task {task.name}")


@promised("task_family", any_case)
def repeats(case: FamilyCase) -> None:
    """Equal generators draw equal tasks, others draw others; torch's global generator changes nothing, nor changes."""
    drawn, family = [], case.family()
    for seed in (1, 2):
        torch.default_generator.manual_seed(seed)
        with leaves_generator():
            drawn.append(case.splits(family))
    for split in SPLITS:
        require(_alike(*(getattr(splits, split) for splits in drawn)), "two draws with equal generators differ")
    same = [split for split in SPLITS if getattr(drawn[0], split)]
    for seed in (1, 2, 3):
        if same:
            other = replace(case, seed=case.seed + seed).splits(family)
            same = [split for split in same if _alike(getattr(drawn[0], split), getattr(other, split))]
    require(not same, f"other generators draw the same tasks, {(*same, '')[0]}")
    _require_going_on(case, drawn[0])


def _require_going_on(case: FamilyCase, first: TaskSplits) -> None:
    """One generator, asked again and again, draws others than at first."""
    generator, family = torch.Generator().manual_seed(case.seed), case.family()
    same = [split for split in SPLITS if getattr(first, split)]
    for place in range(4):
        with may_decline():
            again = family.draw(case.seen, case.validation, case.held_out, generator)
        same = [split for split in same if not place or _alike(getattr(first, split), getattr(again, split))]
    require(not same, f"draws with one generator, one after the other, are the same, {(*same, '')[0]}")


def _alike(tasks: Sequence[Task], others: Sequence[Task]) -> bool:
    """Whether names and contents are the same."""
    pairs = zip(tasks, others, strict=True)
    return all(a.name == b.name and torch.equal(_content(a), _content(b)) for a, b in pairs)


def _content(task: Task) -> Tensor:
    """Everything that a network for the task could learn, as one vector."""
    code = task.code if task.code is not None else torch.zeros(0)
    parts = (task.support.x, task.support.y, task.query.x, task.query.y, code)
    return torch.cat([part.double().flatten() for part in parts])


@promised("task_family", any_case, further=large_case)
def parts(case: FamilyCase) -> None:
    """No task is there twice, by its name or by its examples, in whatever order; and no code lies in two splits.

    Tasks have the same examples where support and query data together are the same, whichever is which, or where
    the support data are and the codes, too.
    """
    splits = case.splits()
    of_split: list[Sequence[Task]] = [getattr(splits, split) for split in SPLITS]
    for first, second in combinations(of_split, 2):
        near = next((f"{a.name} and {b.name}" for a, b in of_one_code(first, second)), "")
        require(not near, f"tasks {near} have one code, and lie in two splits")
    tasks = [task for split in of_split for task in split]
    twice = next((name for name, number in Counter(task.name for task in tasks).items() if number > 1), "")
    require(not twice, f"two tasks are called {twice!r}")
    pair = next((f"{a.name} and {b.name}" for a, b in of_one_content(tasks)), "")
    require(not pair, f"tasks {pair} have the same examples, or the same support data and code")


@promised("task_family", any_case)
def withholds(case: FamilyCase) -> None:
    """A task's query examples are others than its support examples."""
    for task in case.tasks():
        leaked = shared_inputs(task)
        require(not leaked, f"{leaked} query examples of task {task.name} are support examples, too")


@promised("task_family", any_case)
def stacks(case: FamilyCase) -> None:
    """Tasks have equally many support examples, and equally many query examples, of the same dtypes, so that
    they train side by side.
    """
    tasks = list(case.tasks())
    sizes = {(len(task.support), len(task.query)) for task in tasks}
    require(len(sizes) == 1, f"tasks have support and query examples of the numbers {sorted(sizes)}")
    dtypes = {(data.x.dtype, data.y.dtype) for task in tasks for data in (task.support, task.query)}
    require(len(dtypes) == 1, f"tasks have examples of the dtypes {sorted(map(str, dtypes))}")
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
