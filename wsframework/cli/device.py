"""What ``--device`` takes."""

from __future__ import annotations

from enum import StrEnum


class Device(StrEnum):
    """Where tensors live."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"
