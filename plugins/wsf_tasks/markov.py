"""`Markov`: next-token prediction, a random Markov chain a task."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor

from wsf_tasks.independent import independent
from wsframework.errors import PartError, RequestError
from wsframework.parts.interfaces import TaskFamily
from wsframework.parts.values import Least, Most
from wsframework.tasks import OBJECTIVES, Data, Split, Task, TaskShape, TaskSplits

Count = Annotated[int, Least(1)]
TRIES = 50
"""How often sequences are drawn until enough are different."""


class Markov(TaskFamily):
    """A language of one's own for each task: sequences of a Markov chain, whose next tokens are to be predicted.

    The probabilities of the token that follows token i are ``softmax(sharpness * N(0, I))``, one draw an i; the first
    token is uniform. Inputs are token numbers (length,), answers are logits at every position (length, vocabulary). No
    two sequences of a task are the same.

    Options:
        vocabulary: how many tokens there are.
        length: tokens that are read, and that are predicted: those one place later.
        points: support sequences a task.
        query: query sequences a task.
        sharpness: how far the chain is from noise.
        code: whether tasks are known by their transition matrix, row by row; otherwise by support data alone.
    """

    name = "markov"

    def __init__(
        self,
        *,
        vocabulary: Annotated[int, Least(2), Most(64)] = 8,
        length: Annotated[int, Least(4), Most(256)] = 16,
        points: Count = 64,
        query: Count = 64,
        sharpness: Annotated[float, Least(0, strict=True), Most(4)] = 2.0,
        code: bool = False,
    ) -> None:
        if 2 * (points + query) > vocabulary**length:
            raise PartError(
                f"markov: points = {points} and query = {query} are too many for {vocabulary**length} sequences of "
                f"length {length}"
            )
        self.vocabulary, self.length, self.sharpness, self.code = vocabulary, length, sharpness, code
        self.points, self.query = points, query

    @property
    def shape(self) -> TaskShape:
        """Token numbers in; logits at every position out; the transition matrix as a code, or none."""
        code = self.vocabulary**2 if self.code else 0
        return TaskShape((self.length,), (self.length, self.vocabulary), code)

    def draw(self, seen: int, validation: int, held_out: int, generator: torch.Generator) -> TaskSplits:
        """Independent chains; those of a split don't depend on the others' sizes.

        Raises:
            RequestError: where a chain is so predictable that it has too few different sequences.
        """
        drawn = "The Markov chains of all splits were drawn independently from one distribution."
        return independent(self._task, (seen, validation, held_out), generator, drawn)

    def _task(self, split: Split, name: str, generator: torch.Generator) -> Task:
        size = self.vocabulary
        chain = torch.softmax(self.sharpness * torch.randn(size, size, generator=generator), -1)
        tokens = self._sequences(chain, generator)
        support, query = (
            Data(some[:, :-1].float(), some[:, 1:]) for some in (tokens[: self.points], tokens[self.points :])
        )
        return Task(
            name=name,
            shape=self.shape,
            support=support,
            query=query,
            objective=OBJECTIVES["tokens"],
            code=chain.flatten() if self.code else None,
            text=f"the next token of a Markov chain over {size} tokens",
            facts={"entropy": entropy(chain, self.length)},
        )

    def _sequences(self, chain: Tensor, generator: torch.Generator) -> Tensor:
        """Tokens (points + query, length + 1), of which no two rows begin with the same ``length`` tokens."""
        wanted = self.points + self.query
        found: dict[tuple[int, ...], list[int]] = {}
        for _ in range(TRIES):
            for row in walks(chain, wanted, self.length + 1, generator).tolist():
                found.setdefault(tuple(row[:-1]), row)
            if len(found) >= wanted:
                return torch.tensor(list(found.values())[:wanted])
        raise RequestError(
            f"a task of 'markov' has too few different sequences for {wanted} examples; a larger length or a smaller "
            f"sharpness than {self.sharpness:g} gives more"
        )


def walks(chain: Tensor, count: int, length: int, generator: torch.Generator) -> Tensor:
    """Sequences of a chain with the transition matrix (vocabulary, vocabulary): tokens (count, length)."""
    tokens = [torch.randint(len(chain), (count,), generator=generator)]
    for _ in range(length - 1):
        tokens.append(torch.multinomial(chain[tokens[-1]], 1, generator=generator).squeeze(1))
    return torch.stack(tokens, 1)


def entropy(chain: Tensor, length: int) -> float:
    """The mean entropy of the next token over ``length`` positions: the least loss there is."""
    of_row = -(chain * chain.log()).nan_to_num().sum(1)
    token, total = torch.full((len(chain),), 1 / len(chain)), 0.0
    for _ in range(length):
        total += float(token @ of_row)
        token = token @ chain
    return total / length
