"""What every conditioner promises."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import cast

import torch
from hypothesis import strategies as st
from torch import Tensor

from wsframework.parts.interfaces import TaskConditioner
from wsframework.tasks import Data, Task, TaskShape
from wsframework.testing.check import Inapplicable, may_decline, promised, require, same, settled
from wsframework.testing.equivariance import relative_difference
from wsframework.testing.hidden import EXCHANGES
from wsframework.testing.subject import Subject, randomised
from wsframework.testing.task_strategies import KINDS, Kind, made_task, task_shapes
from wsframework.testing.untouched import leaves, leaves_generator, of_task

TASKS = 4
ORDER = 1e-5
"""How much, relative, float32 sums may depend on the order of their terms."""


@dataclass(frozen=True, eq=False)
class ConditionerCase:
    """The shape of tasks, and a few tasks of it."""

    subject: Subject
    shape: TaskShape
    kind: Kind
    points: int
    seed: int

    def __str__(self) -> str:
        return f"tasks of {self.kind} with {self.points} examples, seed {self.seed}, {self.shape}"

    def conditioner(self, built: int = 0) -> TaskConditioner:
        """With random parameters; ``built`` seeds what the constructor draws."""
        torch.default_generator.manual_seed(built)
        with may_decline():
            made = cast(TaskConditioner, self.subject.build(self.shape))
        return randomised(made, torch.Generator().manual_seed(self.seed)).eval()

    def task(self, number: int = 0) -> Task:
        """One of the tasks."""
        return made_task(self.shape, self.kind, self.points, self.seed + number)

    def described(self, conditioner: TaskConditioner, task: Task | None = None) -> Tensor:
        """What the conditioner says of a task (default: the first)."""
        torch.default_generator.manual_seed(self.seed)
        with may_decline():
            return conditioner.describe(task or self.task())

    def embedded(self, conditioner: TaskConditioner, features: Tensor) -> Tensor:
        """The embedding of a copy of the features (tasks, features)."""
        out: Tensor = conditioner(features.clone())
        return out

    def features(self, conditioner: TaskConditioner) -> Tensor:
        """Descriptors of all tasks, standardised as a prior does: (tasks, features)."""
        rows = torch.stack([self.described(conditioner, self.task(k)) for k in range(TASKS)])
        return conditioner.statistics(rows).standardise(rows)

    def crowd(self, conditioner: TaskConditioner) -> Tensor:
        """The features of all tasks, and random ones, large ones among them: (33, features)."""
        generator = torch.Generator().manual_seed(self.seed)
        features = self.features(conditioner)
        others = 2 * torch.randn(33 - TASKS, features.shape[1], generator=generator)
        return torch.cat([features, others.to(features)])


def any_case(subject: Subject) -> st.SearchStrategy[ConditionerCase]:
    """Classes and targets, with codes and without, with few examples and many."""
    return st.builds(
        ConditionerCase,
        st.just(subject),
        task_shapes(),
        st.sampled_from(KINDS),
        st.integers(4, 24),
        st.integers(0, 2**16),
    )


def long_case(subject: Subject) -> Sequence[ConditionerCase]:
    """More examples than are generated."""
    return [ConditionerCase(subject, TaskShape((3,), (2,), 2), kind, 200, 0) for kind in KINDS]


@promised("conditioner", any_case, may_decline_all=False)
def serves(case: ConditionerCase) -> None:
    """It describes every task of a shape in equally many finite numbers, which have statistics, and embeds them as
    (batch, ``size``).
    """
    conditioner = case.conditioner()
    longer = made_task(case.shape, case.kind, case.points + 5, case.seed + 99)
    first, second = case.described(conditioner), case.described(conditioner, longer)
    require(first.dim() == 1 and first.is_floating_point(), f"a description is {first.dtype} {tuple(first.shape)}")
    require(first.shape == second.shape, f"two tasks have {len(first)} and {len(second)} features")
    require(first.isfinite().all(), "a description is not finite")
    known = conditioner.statistics(torch.stack([first, second]))
    for name, value in vars(known).items():
        require(value.shape == first.shape, f"the {name} of {len(first)} features is {tuple(value.shape)}")
        require(value.isfinite().all(), f"the {name} of the features is not finite")
    require((known.deviation > 0).all(), "a feature has no deviation larger than 0 to be divided by")
    out = conditioner(case.features(conditioner))
    wanted = (TASKS, conditioner.size)
    require(out.shape == wanted, f"the embedding of {TASKS} tasks is {tuple(out.shape)}, and size {conditioner.size}")
    require(out.isfinite().all(), "an embedding is not finite")


@promised("conditioner", any_case, further=long_case)
def claim(case: ConditionerCase) -> None:
    """If it claims to be invariant, the order of the support examples does not matter."""
    conditioner, task = case.conditioner(), case.task()
    if conditioner.symmetry != "invariant":
        raise Inapplicable("it does not claim to be invariant")
    before = settled(lambda: case.described(conditioner))
    order = torch.randperm(case.points, generator=torch.Generator().manual_seed(case.seed))
    moved = replace(task, support=Data(task.support.x[order], task.support.y[order]))
    error = relative_difference(case.described(conditioner, moved), before)
    require(before.numel() == 0 or error <= ORDER, f"in another order its description differs by {error:.2g}, relative")


@promised("conditioner", any_case)
def abstains(case: ConditionerCase) -> None:
    """It looks at support data, code and text alone: not at query data, facts, name or names of classes."""
    conditioner = case.conditioner()
    before = settled(lambda: case.described(conditioner))
    for what, exchange in EXCHANGES:
        after = case.described(conditioner, exchange(case.task()))
        require(same(before, after), f"its description depends on the task's {what}")


@promised("conditioner", any_case)
def tells(case: ConditionerCase) -> None:
    """Tasks with other data, code and text have other embeddings, unless it has none (``size`` 0); every number of
    an embedding varies, and what it reads of data or code, it reads whole.

    So every coordinate of the inputs in every class, all labels or targets, every number of the code.
    """
    conditioner = case.conditioner()
    if conditioner.size == 0:
        raise Inapplicable("its embedding has the size 0")
    out = conditioner(case.features(conditioner)).detach()
    distances = torch.cdist(out, out) + torch.eye(TASKS)
    require((distances > 1e-6).all(), "two of the tasks have one embedding")
    still = (case.embedded(conditioner, case.crowd(conditioner)).detach().std(0) <= 1e-6).nonzero().flatten().tolist()
    require(not still, f"number {(*still, 0)[0]} of the embedding is the same, whatever the features")
    before = settled(lambda: case.described(conditioner))
    for what, changes in (("data", _other_data(case.task())), ("code", _other_codes(case.task()))):
        read = {name: not same(case.described(conditioner, other), before) for name, other in changes}
        unread = [name for name, found in read.items() if not found]
        require(not unread or not any(read.values()), f"it reads the {what}, but not {(*unread, '')[0]}")


def _other_data(task: Task) -> Iterator[tuple[str, Task]]:
    """The task with each part of its support data changed, by the words for it."""
    x, y = task.support.x, task.support.y
    if not y.is_floating_point():
        for k in sorted(set(y.tolist())):
            for j in range(x.shape[1]):
                moved = x + (y == k).float()[:, None] * _unit(j, x)
                yield f"coordinate {j} of the inputs in class {k}", replace(task, support=Data(moved, y))
            other = torch.where(y == k, (y + 1) % task.shape.outputs[0], y)
            yield f"which examples are in class {k}", replace(task, support=Data(x, other))
    else:
        for j in range(x.shape[1]):
            yield f"coordinate {j} of the inputs", replace(task, support=Data(x + _unit(j, x), y))
        for j in range(y.shape[1]):
            yield f"coordinate {j} of the targets", replace(task, support=Data(x, y + _unit(j, y)))


def _unit(place: int, rows: Tensor) -> Tensor:
    """One at this place of a row, and else zero: (columns,)."""
    return torch.eye(rows.shape[-1])[place]


def _other_codes(task: Task) -> Iterator[tuple[str, Task]]:
    """The task with each number of its code changed, by the words for it."""
    for j in range(0 if task.code is None else len(task.code)):
        assert task.code is not None
        yield f"number {j} of it", replace(task, code=task.code + _unit(j, task.code))


@promised("conditioner", any_case)
def trains(case: ConditionerCase) -> None:
    """A gradient reaches every parameter."""
    conditioner = case.conditioner()
    out = conditioner(case.features(conditioner))
    if out.requires_grad:
        torch.autograd.backward((out * torch.randn_like(out)).sum())
    for name, p in conditioner.named_parameters():
        require(p.grad is not None and bool(p.grad.any()), f"no gradient reaches {name}")


@promised("conditioner", any_case)
def repeats(case: ConditionerCase) -> None:
    """One task gets one description and one embedding, whatever torch's global generator says, which is left alone.

    Nor does it matter what was described before, another task of the same name among it.
    """
    conditioner, answers = case.conditioner(), []
    _ = case.described(conditioner)
    for seed in (1, 2):
        torch.default_generator.manual_seed(seed)
        with leaves_generator():
            features = torch.stack([conditioner.describe(case.task(k)) for k in range(TASKS)])
            answers.append((features, case.embedded(conditioner, features)))
    require(same(answers[0][0], answers[1][0]), "two descriptions of one task differ")
    require(same(answers[0][1], answers[1][1]), "two embeddings of one task differ")
    torch.default_generator.manual_seed(3)
    require(same(case.conditioner().describe(case.task()), answers[0][0][0]), "another one like it describes otherwise")
    namesake = replace(case.task(1), name=case.task().name)
    afresh = case.described(case.conditioner(), namesake)
    require(same(case.described(conditioner, namesake), afresh), "another task of the same name was remembered")


@promised("conditioner", any_case)
def restores(case: ConditionerCase) -> None:
    """A copy of it, and another one that loads its state dict, describe and embed as it does."""
    one, other = case.conditioner(built=1), case.conditioner(built=2)
    other.load_state_dict(one.state_dict(), strict=True)
    for name, again in (("a deep copy", copy.deepcopy(one)), ("one that loaded its state dict", other)):
        require(same(case.described(again), case.described(one)), f"{name} describes otherwise")
        mine, its = (case.embedded(of, case.features(of)) for of in (one, again))
        require(same(mine, its), f"{name} embeds otherwise")


@promised("conditioner", any_case)
def separates(case: ConditionerCase) -> None:
    """The tasks of a batch don't see one another."""
    conditioner = case.conditioner()
    features = case.crowd(conditioner)
    alone = torch.cat([case.embedded(conditioner, row) for row in torch.split(features[:TASKS], 1)])
    together = case.embedded(conditioner, features)[:TASKS]
    require(torch.allclose(alone, together, rtol=1e-4, atol=1e-5), "a task alone has another embedding")


@promised("conditioner", any_case)
def preserves(case: ConditionerCase) -> None:
    """It leaves the task (support and query data, code, facts) and the features as they are."""
    conditioner, task = case.conditioner(), case.task()
    with leaves("describe", of_task(task)):
        case.described(conditioner, task)
    features = 5 * case.features(conditioner)
    with leaves("forward", {"the features": features}):
        conditioner(features)


def _with_a_lone_one(task: Task) -> Data:
    """The support data, all of one class but for the first example; targets stay as they are."""
    x, y = task.support.x, task.support.y
    return Data(x, y if y.is_floating_point() else (torch.arange(len(y)) > 0).long())


@promised("conditioner", any_case)
def finite(case: ConditionerCase) -> None:
    """Its description is finite for a single example, in all or in a class, for examples that are all alike, and
    without some class.
    """
    conditioner, task = case.conditioner(), case.task()
    x, y = task.support.x, task.support.y
    for name, data in (
        ("of a single example", Data(x[:1], y[:1])),
        ("of equal examples", Data(x[:1].expand_as(x).clone(), y[:1].expand_as(y).clone())),
        ("with a single example of a class", _with_a_lone_one(task)),
        ("of one class or target", Data(x, y[:1].expand_as(y).clone())),
    ):
        found = case.described(conditioner, replace(task, support=data))
        require(found.isfinite().all(), f"the description {name} is not finite")


CHECKS = (serves, claim, abstains, tells, trains, repeats, restores, separates, preserves, finite)
