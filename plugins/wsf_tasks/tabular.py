"""`Tabular`: questions to five data sets, by some of their columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, combinations, islice, zip_longest
from math import comb
from typing import Annotated, Literal

import torch
from torch import Tensor

from wsf_tasks.dealt import dealt
from wsf_tasks.independent import SPLITS
from wsf_tasks.tables import Table, tables
from wsframework.errors import PartError, RequestError
from wsframework.parts.interfaces import TaskFamily
from wsframework.parts.values import Least, Most
from wsframework.tasks import OBJECTIVES, Data, Split, Task, TaskShape, TaskSplits

Points = Annotated[int, Least(10), Most(1000)]
SUBSETS = 1000
"""How many sets of columns of one table are used, at most."""


class Tabular(TaskFamily):
    """Two classes of scikit-learn's breast cancer, wine, iris, handwritten digits or diabetes, from a few columns.

    A task is a table, a set of its columns, and a set of its classes against the others; of diabetes, classes are
    quarters of the progression. Each table's rows are split once into support and query rows, stratified by class;
    values are blurred by less than their precision, so that no two rows are the same, centred and scaled by the
    support rows. Tables with too few columns or rows are left out, and columns that hardly vary.

    Options:
        features: columns of a task.
        points: support examples a task.
        query: query examples a task.
        hold_out: what splits don't share: ``features``, sets of columns, each with all its questions; or ``sets``,
            whole tables: one is held out, one for validation.
    """

    name = "tabular"

    def __init__(
        self,
        *,
        features: Annotated[int, Least(2), Most(10)] = 4,
        points: Points = 64,
        query: Points = 64,
        hold_out: Literal["features", "sets"] = "features",
    ) -> None:
        self.features, self.points, self.query, self.hold_out = features, points, query, hold_out

    @property
    def shape(self) -> TaskShape:
        """One number a column in, two classes out."""
        return TaskShape((self.features,), (2,))

    def draw(self, seen: int, validation: int, held_out: int, generator: torch.Generator) -> TaskSplits:
        """Each split takes its tables in turn, and of each first one question to every set of columns.

        Raises:
            PartError: where tables are too few for such tasks.
            RequestError: where a split has fewer tasks than asked for, with their number.
        """
        asked = [Asked.of(table, self.features, self.points, self.query, generator) for table in self._tables()]
        own = dealt(asked, 1, generator) if self.hold_out == "sets" else dealt_features(asked)
        drawn: dict[Split, list[Task]] = {}
        for split, count in zip(SPLITS, (seen, validation, held_out), strict=True):
            tasks = _in_turn([part.tasks(split) for part in own[split]])
            drawn[split] = list(islice(tasks, count))
            if len(drawn[split]) < count:
                raise RequestError(f"{count} {split} tasks of 'tabular' were asked for; there are {len(drawn[split])}")
        return TaskSplits(**drawn, drawn=self._drawn(own))

    def _tables(self) -> list[Table]:
        """Those with enough columns and rows."""
        rows = self.points + self.query
        fit = [table for table in tables() if table.x.shape[1] >= self.features and len(table.x) >= rows]
        if len(fit) < (3 if self.hold_out == "sets" else 1):
            raise PartError(
                f"tabular: {len(fit)} tables have {rows} rows and {self.features} columns; with hold_out = "
                f"{self.hold_out!r}, {3 if self.hold_out == 'sets' else 1} are needed"
            )
        return fit

    def _drawn(self, own: dict[Split, list[Asked]]) -> str:
        what = {split: " and ".join(part.table.name for part in parts) for split, parts in own.items()}
        if self.hold_out == "sets":
            return (
                f"Whole data sets are held out: seen tasks are about {what['seen']}, validation tasks about "
                f"{what['validation']}, held-out tasks about {what['held_out']}."
            )
        return (
            f"Sets of {self.features} columns are held out, with all questions to them: no two splits share one of the "
            f"same data set, of which there are {what['seen']}; the splits share their rows, {self.points} support and "
            f"{self.query} query rows of each."
        )


@dataclass(frozen=True, eq=False)
class Asked:
    """A table, what may be asked of it, and the examples.

    Attributes:
        subsets: sets of columns.
        positive: sets of classes, as rows of ``(questions, classes)`` booleans.
        support, query: all columns of the rows, with classes.
    """

    table: Table
    subsets: Sequence[tuple[int, ...]]
    positive: Tensor
    support: Data
    query: Data

    @classmethod
    def of(cls, table: Table, features: int, points: int, query: int, generator: torch.Generator) -> Asked:
        """With sets of ``features`` columns and all questions, in random order."""
        from sklearn.model_selection import train_test_split

        seed = int(torch.randint(2**31, (1,), generator=generator))
        rows = range(len(table.x))
        known, asked = train_test_split(rows, train_size=points, test_size=query, stratify=table.y, random_state=seed)
        x = table.blurred(generator)
        x = ((x - x[known].mean(0)) / x[known].std(0)).float()
        classes = len(table.classes)
        code = torch.randperm(2**classes - 2, generator=generator) + 1
        positive = (code[:, None] >> torch.arange(classes) & 1).bool()
        subsets = column_subsets(x.shape[1], features, generator)
        return cls(table, subsets, positive, Data(x[known], table.y[known]), Data(x[asked], table.y[asked]))

    def part(self, subsets: Sequence[tuple[int, ...]]) -> Asked:
        """The same with these sets of columns."""
        return Asked(self.table, subsets, self.positive, self.support, self.query)

    def tasks(self, split: Split) -> Iterator[Task]:
        """All of them; no two of the same columns and question."""
        for turn in range(len(self.positive)):
            for i, columns in enumerate(self.subsets):
                yield self._task(f"{split}-{self.table.name}-{turn}-{i}", columns, (i + turn) % len(self.positive))

    def _task(self, name: str, columns: tuple[int, ...], question: int) -> Task:
        positive, names = self.positive[question], self.table.classes
        yes, no = ([name for name, is_so in zip(names, positive == wanted, strict=True) if is_so] for wanted in (1, 0))
        support, query = (Data(d.x[:, list(columns)], positive[d.y].long()) for d in (self.support, self.query))
        return Task(
            name=name,
            shape=TaskShape((len(columns),), (2,)),
            support=support,
            query=query,
            objective=OBJECTIVES["classification"],
            text=f"{self.table.name}: {' or '.join(yes)} against {' or '.join(no)}, from "
            f"{', '.join(self.table.columns[column] for column in columns)}",
            classes=(" or ".join(no), " or ".join(yes)),
        )


def column_subsets(columns: int, features: int, generator: torch.Generator) -> list[tuple[int, ...]]:
    """Different sets of ``features`` columns, in random order: all, or `SUBSETS` where they are more."""
    if comb(columns, features) <= SUBSETS:
        every = list(combinations(range(columns), features))
        return [every[place] for place in torch.randperm(len(every), generator=generator).tolist()]
    drawn = torch.rand(2 * SUBSETS, columns, generator=generator).argsort(1)[:, :features].sort(1).values
    return list(dict.fromkeys(map(tuple, drawn.tolist())))[:SUBSETS]


def dealt_features(asked: Sequence[Asked]) -> dict[Split, list[Asked]]:
    """A fifth of each table's sets of columns for validation, a fifth held out, the others seen."""
    cuts = [(part, len(part.subsets) // 5) for part in asked]
    return {
        "seen": [part.part(part.subsets[2 * n :]) for part, n in cuts],
        "validation": [part.part(part.subsets[:n]) for part, n in cuts],
        "held_out": [part.part(part.subsets[n : 2 * n]) for part, n in cuts],
    }


def _in_turn(queues: Sequence[Iterator[Task]]) -> Iterator[Task]:
    """One of each, again and again, without those that have come to their end."""
    return (task for task in chain.from_iterable(zip_longest(*queues)) if task is not None)
