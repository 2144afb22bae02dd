"""`Mnist1d`: ten digits as short signals, made by a generator whose knobs may be the task."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal

import numpy as np
import torch
from torch import Tensor

from wsf_tasks.codes import DIGITS, Codes
from wsf_tasks.extra import extra
from wsf_tasks.independent import independent
from wsframework.errors import PartError
from wsframework.parts.interfaces import TaskFamily
from wsframework.parts.values import Least, Most
from wsframework.tasks import OBJECTIVES, Data, Split, Task, TaskShape, TaskSplits

LENGTH = 40
KNOBS = {
    "corr_noise_scale": 0.25,
    "iid_noise_scale": 0.02,
    "scale_coeff": 0.4,
    "max_translation": 48,
    "shear_scale": 0.75,
}
"""What the package's own data set is made with."""


class Mnist1d(TaskFamily):
    """Signals of 40 numbers, one of ten templates each: dilated, scaled, moved, sheared, and noisy.

    ``codes``: which of the ten digits are positive, as in ``digits``; a code and its complement share a split, and all
    tasks share their signals. ``knobs``: which of the ten digits, from a generator of the task's own: each of
    correlated noise, white noise, scaling, translation and shear is drawn from 0 (translation: 2) to twice what the
    package's data set has (translation: 60); these five, as shares of their greatest value, are the code.

    Every task has as many signals of each digit. They are centred and scaled by two numbers, from the support signals.

    Options:
        tasks: as above.
        points: support examples a task, a multiple of ten.
        query: query examples a task, a multiple of ten.
        distance: of ``codes`` only, the least Hamming distance of each seen code from each validation and held-out
            code and from their complements.
    """

    name = "mnist1d"
    paper = "Greydanus & Kobak 2024, arXiv:2011.14439"

    def __init__(
        self,
        *,
        tasks: Literal["codes", "knobs"] = "codes",
        points: Annotated[int, Least(10), Most(10_000)] = 500,
        query: Annotated[int, Least(10), Most(10_000)] = 500,
        distance: Annotated[int, Least(1), Most(DIGITS // 2)] = 1,
    ) -> None:
        if points % DIGITS or query % DIGITS:
            raise PartError(f"mnist1d: points = {points} and query = {query} must be multiples of {DIGITS}")
        if distance > 1 and tasks != "codes":
            raise PartError(
                f"mnist1d: distance = {distance} is between codes, and needs tasks = 'codes', not {tasks!r}"
            )
        self.tasks, self.points, self.query, self.distance = tasks, points, query, distance

    @property
    def shape(self) -> TaskShape:
        """40 numbers in; two classes and a code of ten, or for ``knobs`` ten classes and a code of five."""
        by_code = self.tasks == "codes"
        return TaskShape((LENGTH,), (2 if by_code else DIGITS,), DIGITS if by_code else len(KNOBS))

    def draw(self, seen: int, validation: int, held_out: int, generator: torch.Generator) -> TaskSplits:
        """Splits of codes, and signals that all tasks share; or independent knobs, each with signals of its own.

        Raises:
            RequestError: where fewer codes remain than asked for, or where the package mnist1d is missing.
        """
        if self.tasks == "codes":
            codes = Codes.draw(self.name, seen, validation, held_out, self.distance, generator)
            return codes.tasks(*self._signals(KNOBS, generator), "signals")
        drawn = "Knobs of the generator were drawn independently for all tasks, uniformly."
        return independent(self._task, (seen, validation, held_out), generator, drawn)

    def _task(self, split: Split, name: str, generator: torch.Generator) -> Task:
        code = torch.rand(len(KNOBS), generator=generator)
        knobs = turned(code)
        support, query = self._signals(knobs, generator)
        return Task(
            name=name,
            shape=self.shape,
            support=support,
            query=query,
            objective=OBJECTIVES["classification"],
            code=code,
            text="ten digits as signals, with " + ", ".join(f"{knob} {value:.3g}" for knob, value in knobs.items()),
            facts=knobs,
        )

    def _signals(self, knobs: dict[str, float], generator: torch.Generator) -> tuple[Data, Data]:
        """Support and query signals (points, 40), in order of their digits (points,)."""
        x = signals((self.points + self.query) // DIGITS, knobs, generator)
        n = self.points // DIGITS
        support, query = x[:, :n].flatten(0, 1), x[:, n:].flatten(0, 1)
        center, scale = support.mean(), support.std()
        digit = [torch.arange(DIGITS).repeat_interleave(len(some) // DIGITS) for some in (support, query)]
        return Data((support - center) / scale, digit[0]), Data((query - center) / scale, digit[1])


def turned(code: Tensor) -> dict[str, float]:
    """The knobs of a code (5,) in [0, 1)."""
    share = dict(zip(KNOBS, code.tolist(), strict=True))
    knobs = {knob: 2 * usual * share[knob] for knob, usual in KNOBS.items()}
    return {**knobs, "max_translation": float(2 + int(59 * share["max_translation"]))}


def signals(count: int, knobs: dict[str, float], generator: torch.Generator) -> Tensor:
    """``count`` signals of each digit: (10, count, 40)."""
    package, data = extra("mnist1d.transform", "mnist1d"), extra("mnist1d.data", "mnist1d")
    settings: Any = data.get_dataset_args()
    vars(settings).update(knobs, max_translation=int(knobs["max_translation"]))
    templates = data.get_templates()
    with global_seed(int(torch.randint(2**32, (1,), generator=generator))):
        made = [[package.transform(x, templates["t"], settings)[0] for _ in range(count)] for x in templates["x"]]
    return torch.tensor(np.array(made), dtype=torch.float32)


@contextmanager
def global_seed(seed: int) -> Iterator[None]:
    """numpy's global generator, which the package draws from, seeded for a while, then as it was."""
    before = np.random.get_state()
    np.random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(before)
