"""Inputs as sequences: of vectors, of tokens, of the patches of an image."""

from __future__ import annotations

from dataclasses import dataclass

from einops import rearrange
from torch import Tensor
from torch.nn import functional

from wsframework.errors import SpaceError
from wsframework.tasks import TaskShape


@dataclass(frozen=True)
class Sequence:
    """What a network reads and answers.

    Attributes:
        length: of a sequence.
        features: of each position.
        outputs: of each answer.
        everywhere: whether there is an answer at each position, rather than one for all.
    """

    length: int
    features: int
    outputs: int
    everywhere: bool


def sequence(name: str, shape: TaskShape, vocabulary: int, patch: int | None = None) -> Sequence:
    """The sequence that inputs of ``shape`` are.

    Raises:
        SpaceError: where they are none, or outputs belong neither to the whole nor to each position.
    """
    length, features = _size(name, shape.inputs, vocabulary, patch)
    if len(shape.outputs) == 1:
        return Sequence(length, features, shape.outputs[0], everywhere=False)
    if len(shape.outputs) == 2 and shape.outputs[0] == length:
        return Sequence(length, features, shape.outputs[1], everywhere=True)
    raise SpaceError(
        f"{name!r} answers once, or at each of the {length} positions, and this task asks for the shape {shape.outputs}"
    )


def _size(name: str, inputs: tuple[int, ...], vocabulary: int, patch: int | None) -> tuple[int, int]:
    if vocabulary and len(inputs) == 1:
        return inputs[0], vocabulary
    if not vocabulary and len(inputs) == 2:
        return inputs
    if not vocabulary and patch and len(inputs) == 3:
        channels, height, width = inputs
        if height % patch or width % patch:
            raise SpaceError(f"{name!r} can't cut images of {height} by {width} into squares of {patch}; set 'patch'")
        return height // patch * (width // patch), channels * patch**2
    forms = "token numbers (length,)" if vocabulary else "sequences (length, features)"
    images = " or images (channels, height, width)" if patch and not vocabulary else ""
    hint = "" if vocabulary else "; token numbers need the option 'vocabulary'"
    raise SpaceError(f"{name!r} reads {forms}{images}, and inputs here have shape {inputs}{hint}")


def positions(x: Tensor, vocabulary: int, patch: int | None = None) -> Tensor:
    """Inputs x (batch, *inputs) as (batch, length, features).

    A token number becomes a unit vector of length ``vocabulary``; numbers are rounded, and what lies beyond either end
    counts as the last token there.
    """
    if vocabulary:
        return functional.one_hot(x.round().long().clamp(0, vocabulary - 1), vocabulary).to(x.dtype)
    if x.dim() == 4:
        return rearrange(x, "b c (h i) (w j) -> b (h w) (c i j)", i=patch, j=patch)
    return x
