"""`Digits`: handwritten digits, and as many two-class tasks as there are ways to split ten digits in two."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated

import torch
from torch import Tensor

from wsf_tasks.codes import DIGITS, Codes
from wsframework.parts.interfaces import TaskFamily
from wsframework.parts.values import Least, Most
from wsframework.tasks import Data, TaskShape, TaskSplits


@lru_cache(maxsize=1)
def images() -> tuple[Tensor, Tensor]:
    """scikit-learn's 1797 images of 8 x 8 pixels in [0, 1], flat: (1797, 64); and their digits (1797,)."""
    from sklearn.datasets import load_digits

    x, digit = load_digits(return_X_y=True)
    return torch.as_tensor(x, dtype=torch.float32) / 16, torch.as_tensor(digit, dtype=torch.long)


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
        codes = Codes.draw(self.name, seen, validation, held_out, self.distance, generator)
        return codes.tasks(*split_images(self.query_share, generator), "images")


def split_images(query_share: float, generator: torch.Generator) -> tuple[Data, Data]:
    """Support and query images, labelled with their digits: disjoint, with each digit's share the same in both.

    Both are centred on the mean support image and scaled by one deviation, that of the support pixels about it.
    """
    from sklearn.model_selection import train_test_split

    x, digit = images()
    seed = int(torch.randint(2**31, (1,), generator=generator))
    support, query = train_test_split(range(len(x)), test_size=query_share, stratify=digit, random_state=seed)
    center = x[support].mean(0)
    scale = (x[support] - center).square().mean().sqrt()
    x = (x - center) / scale
    return Data(x[support], digit[support]), Data(x[query], digit[query])
