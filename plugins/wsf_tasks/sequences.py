"""`Sequences`: algorithms on short sequences of tokens, each with a code that says which."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor

from wsf_tasks.rules import KINDS, Kind, Rule, all_rules, distinct_sequences
from wsframework.errors import PartError, RequestError
from wsframework.parts.interfaces import TaskFamily
from wsframework.parts.values import Least, Most
from wsframework.tasks import OBJECTIVES, Data, Task, TaskShape, TaskSplits

Points = Annotated[int, Least(16), Most(10_000)]


class Sequences(TaskFamily):
    """Which token does an algorithm answer? Sequences of random tokens, for networks that read token numbers.

    ``sum``: of five positions, modulo the vocabulary: parity, where that is 2. ``majority``: of five positions, the
    smaller token where two are as frequent. ``copy``: of one position. ``first`` and ``last``: the token some
    places after the first or last occurrence of a token, around the end, and 0 where it does not occur.

    The code of a task has a 1 for its kind, its positions (or how many places after), and the token it looks for.
    Any two sets of five positions differ in two or more. All tasks share their sequences, no two of which are the same.

    Options:
        length: tokens of a sequence.
        vocabulary: how many tokens there are; inputs are their numbers from 0, and every token is a class.
        rules: kinds of algorithms, as above.
        points: support examples a task.
        query: query examples a task.
    """

    name = "sequences"

    def __init__(
        self,
        *,
        length: Annotated[int, Least(8), Most(32)] = 16,
        vocabulary: Annotated[int, Least(2), Most(32)] = 2,
        rules: tuple[Kind, ...] = KINDS,
        points: Points = 400,
        query: Points = 400,
    ) -> None:
        if points + query > vocabulary**length:
            raise PartError(
                f"sequences: points = {points} and query = {query} are more than the {vocabulary**length} sequences of "
                f"length {length}"
            )
        if not rules:
            raise PartError(f"sequences: rules = [] leaves no task; there are {', '.join(KINDS)}")
        self.length, self.vocabulary, self.rules = length, vocabulary, rules
        self.points, self.query = points, query

    @property
    def shape(self) -> TaskShape:
        """Token numbers in, a logit for each token out; a code of zeros and ones."""
        return TaskShape((self.length,), (self.vocabulary,), len(KINDS) + self.length + self.vocabulary)

    def draw(self, seen: int, validation: int, held_out: int, generator: torch.Generator) -> TaskSplits:
        """Splits of all rules, and sequences, both from ``generator``.

        Raises:
            RequestError: where there are fewer rules than tasks asked for.
        """
        known = all_rules(self.rules, self.length, self.vocabulary)
        if seen + validation + held_out > len(known):
            raise RequestError(
                f"{seen} seen, {validation} validation and {held_out} held-out tasks of 'sequences' were asked for; of "
                f"these kinds and this length there are {len(known)}"
            )
        order = torch.randperm(len(known), generator=generator).tolist()
        x = distinct_sequences(self.points + self.query, self.length, self.vocabulary, generator)
        both = [(some, some.float()) for some in (x[: self.points], x[self.points :])]
        tasks = [self._task(known[place], *both) for place in order[: seen + validation + held_out]]
        return TaskSplits(
            seen=tasks[:seen],
            validation=tasks[seen : seen + validation],
            held_out=tasks[seen + validation :],
            drawn=f"Tasks are algorithms, drawn from {len(known)} different ones; any two of five positions differ "
            f"in two of these or in kind; all share {self.points} support and {self.query} query sequences.",
        )

    def _task(self, rule: Rule, support: tuple[Tensor, Tensor], query: tuple[Tensor, Tensor]) -> Task:
        """The task of a rule; sequences (points, length) come as whole numbers and as inputs."""
        known, asked = (Data(inputs, rule.answers(x, self.vocabulary)) for x, inputs in (support, query))
        return Task(
            name=str(rule),
            shape=self.shape,
            support=known,
            query=asked,
            objective=OBJECTIVES["classification"],
            code=rule.code(self.length, self.vocabulary),
            text=f"{rule}, of {self.vocabulary} tokens",
        )
