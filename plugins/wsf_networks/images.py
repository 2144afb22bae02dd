"""The sizes of images on their way through layers."""

from __future__ import annotations

from wsframework.errors import SpaceError
from wsframework.tasks import TaskShape


def image(name: str, shape: TaskShape) -> tuple[int, int, int]:
    """Channels, height and width of the inputs.

    Raises:
        SpaceError: where inputs are no images, or outputs have more than one axis.
    """
    if len(shape.inputs) != 3:
        raise SpaceError(f"{name!r} reads images (channels, height, width), and inputs here have shape {shape.inputs}")
    if len(shape.outputs) != 1:
        raise SpaceError(f"{name!r} gives outputs of one axis, and this task asks for the shape {shape.outputs}")
    channels, height, width = shape.inputs
    return channels, height, width


def strided(size: int, kernel: int, stride: int) -> int:
    """Positions of a kernel along an axis that is padded by half the kernel on both sides."""
    return (size + 2 * (kernel // 2) - kernel) // stride + 1
