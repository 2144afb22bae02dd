"""`Digits`: handwritten digits, and as many two-class tasks as there are ways to split ten digits in two."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated

import torch
from torch import Tensor

from wsframework.errors import RequestError
from wsframework.parts.interfaces import TaskFamily
from wsframework.parts.values import Least, Most
from wsframework.tasks import OBJECTIVES, Data, Task, TaskShape, TaskSplits

DIGITS = 10
PAIRS = 2 ** (DIGITS - 1) - 1  # {code, complement}; the empty code and its complement are no task
CODES = 2 * PAIRS


@lru_cache(maxsize=1)
def images() -> tuple[Tensor, Tensor]:
    """scikit-learn's 1797 images of 8 x 8 pixels in [0, 1], flat: (1797, 64); and their digits (1797,)."""
    from sklearn.datasets import load_digits

    x, digit = load_digits(return_X_y=True)
    return torch.as_tensor(x, dtype=torch.float32) / 16, torch.as_tensor(digit, dtype=torch.long)


def bits(codes: Tensor) -> Tensor:
    """Codes (n,) as ten bits each, digit 0 first: (n, 10), integers 0 and 1."""
    return codes[:, None] >> torch.arange(DIGITS) & 1


def separation(codes: Tensor, others: Tensor) -> Tensor:
    """Hamming distance of each code (n,) to the nearest of ``others`` (m,) and of their complements: (n,).

    A complement is the same function with its outputs swapped, so that the largest separation is 5.
    """
    differing = (bits(codes)[:, None] != bits(others)[None]).sum(-1)
    nearest = torch.minimum(differing, DIGITS - differing)
    return torch.cat([nearest, torch.full((len(codes), 1), DIGITS // 2)], dim=1).amin(1)


class Digits(TaskFamily):
    """Which of the ten digits are positive? Each of the 1022 answers (all but none and all) is a task.

    All tasks share their images, split once into support and query data, centred and scaled by the support
    images. A code and its complement are one function with outputs swapped, so that they always lie in one
    split. Validation and held-out tasks are drawn as such pairs; the seen tasks are drawn from what these leave.

    Arguments:
        distance: the least Hamming distance of each seen code from each validation and held-out code and
            from their complements, 1 to 5. Distance 3 is the harder split, and leaves far fewer seen tasks.
        query_share: share of the images that is query data, the same for every digit.
    """

    name = "digits"
    paper = "Alpaydin & Kaynak 1998, Optical Recognition of Handwritten Digits"

    def __init__(
        self,
        *,
        distance: Annotated[int, Least(1), Most(DIGITS // 2)] = 1,
        query_share: Annotated[float, Least(0.01), Most(0.99)] = 0.3,
    ) -> None:
        self.distance = distance
        self.query_share = query_share

    @property
    def shape(self) -> TaskShape:
        """64 pixels, two classes, a code of ten numbers."""
        return TaskShape((64,), (2,), DIGITS)

    def draw(self, seen: int, validation: int, held_out: int, generator: torch.Generator) -> TaskSplits:
        """Splits of codes and of images, both from ``generator``.

        Raises:
            RequestError: where fewer tasks remain than asked for, with their number.
        """
        order = torch.randperm(CODES, generator=generator) + 1
        pairs = torch.randperm(PAIRS, generator=generator) + 1
        photos = split_images(self.query_share, generator)
        first, second = self._pairs(validation, held_out, pairs)
        left = order[separation(order, torch.cat([first, second])) >= self.distance]
        if seen > len(left):
            raise RequestError(
                f"{seen} seen tasks of 'digits' were asked for; with {validation} validation and {held_out} held-out "
                f"tasks at distance {self.distance} there are {len(left)}"
            )
        return TaskSplits(
            seen=photos.tasks(left[:seen]),
            validation=photos.tasks(both(second)[:validation]),
            held_out=photos.tasks(both(first)[:held_out]),
            drawn=f"Digit codes and their complements share a split; the {seen} seen codes were drawn from {len(left)} "
            f"at Hamming distance {self.distance} or more from the {validation} validation and {held_out} held-out "
            f"codes and their complements; all tasks share {len(photos.support)} support and {len(photos.query)} "
            "query images, stratified by digit.",
        )

    def _pairs(self, validation: int, held_out: int, pairs: Tensor) -> tuple[Tensor, Tensor]:
        """The first of ``pairs`` (n,): as many as hold the held-out tasks, then those of the validation tasks."""
        first, second = (held_out + 1) // 2, (validation + 1) // 2
        if first + second > len(pairs):
            raise RequestError(
                f"{validation} validation and {held_out} held-out tasks of 'digits' were asked for; they are drawn as "
                f"pairs of a code and its complement, of which there are {len(pairs)}, and these take {first + second}"
            )
        return pairs[:first], pairs[first : first + second]


def both(pairs: Tensor) -> Tensor:
    """Each code (n,) followed by its complement: (2 n,)."""
    return torch.stack([pairs, 2**DIGITS - 1 - pairs], dim=1).flatten()


@dataclass(frozen=True, eq=False)
class Photos:
    """The images of a draw, labelled with their digits; every task that comes of them shares their tensors."""

    support: Data
    query: Data

    def tasks(self, codes: Tensor) -> list[Task]:
        """One task for each code, (n,)."""
        return [self._task(int(code), row) for code, row in zip(codes, bits(codes), strict=True)]

    def _task(self, code: int, positive: Tensor) -> Task:
        digits = [str(digit) for digit in range(DIGITS) if positive[digit]]
        return Task(
            name=f"digits-{''.join(digits)}",
            shape=TaskShape((64,), (2,), DIGITS),
            support=Data(self.support.x, positive[self.support.y]),
            query=Data(self.query.x, positive[self.query.y]),
            objective=OBJECTIVES["classification"],
            code=2 * positive.float() - 1,
            text=f"digits {', '.join(digits)} against the rest",
            facts={"pair": float(min(code, 2**DIGITS - 1 - code))},
        )


def split_images(query_share: float, generator: torch.Generator) -> Photos:
    """Support and query images, disjoint, with each digit's share the same in both.

    Both are centred on the mean support image and scaled by one deviation, that of the support pixels about it.
    """
    from sklearn.model_selection import train_test_split

    x, digit = images()
    seed = int(torch.randint(2**31, (1,), generator=generator))
    support, query = train_test_split(range(len(x)), test_size=query_share, stratify=digit, random_state=seed)
    center = x[support].mean(0)
    scale = (x[support] - center).square().mean().sqrt()
    x = (x - center) / scale
    return Photos(Data(x[support], digit[support]), Data(x[query], digit[query]))
