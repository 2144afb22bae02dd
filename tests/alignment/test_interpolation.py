"""The barrier is the greatest rise of the loss over the straight line between its ends."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from wsframework.alignment import barrier
from wsframework.errors import SpaceError


def hill(state: dict[str, Tensor]) -> Tensor:
    return 5 - state["w"].square().flatten(-1).sum(-1) + state["w"].flatten(-1)[..., 0]


ENDS = {"w": torch.tensor([-1.0])}, {"w": torch.tensor([1.0])}


def test_a_hill_between_two_networks_is_its_height_over_the_line() -> None:
    found = barrier(hill, *ENDS, points=5)
    assert found.height == pytest.approx(1)
    assert found.positions.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert found.losses.tolist() == pytest.approx([3, 4.25, 5, 5.25, 5])


def test_a_valley_is_no_barrier() -> None:
    assert barrier(lambda state: -hill(state), *ENDS).height == pytest.approx(0)


def test_all_points_at_once_give_the_same() -> None:
    calls = []

    def loss(states: dict[str, Tensor]) -> Tensor:
        calls.append(states["w"].shape)
        return hill(states)

    found = barrier(loss, *ENDS, batched=True)
    assert calls == [(25, 1)]
    assert torch.allclose(found.losses, barrier(hill, *ENDS).losses)


def test_counts_are_not_interpolated() -> None:
    seen = []
    a, b = ({"w": torch.tensor(w), "n": torch.tensor(n)} for w, n in ((0.0, 3), (1.0, 9)))
    barrier(lambda state: seen.append(int(state["n"])) or 0.0, a, b, points=3)
    assert seen == [3, 3, 3]


def test_what_has_no_line_between_is_refused() -> None:
    with pytest.raises(SpaceError, match="other parameters: b, w"):
        barrier(hill, {"w": torch.zeros(1)}, {"w": torch.zeros(2), "b": torch.zeros(1)})
    with pytest.raises(SpaceError, match="a line of 2 points"):
        barrier(hill, *ENDS, points=2)
    with pytest.raises(SpaceError, match=r"shape \(25,\)"):
        barrier(lambda _: torch.zeros(3), *ENDS, batched=True)
