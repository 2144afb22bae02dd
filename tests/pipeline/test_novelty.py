"""The distance of judged tasks to their nearest seen ones."""

from __future__ import annotations

import pytest
import torch

from wsframework.pipeline import novelty
from wsframework.pipeline.novelty import distances

SEEN = torch.tensor([[0.0, 0.0], [1.0, 0.0], [5.0, 0.0], [5.0, 2.0]])


def test_the_nearest_seen_task_counts() -> None:
    judged = torch.tensor([[0.0, 0.5], [1.0, 2.0], [5.0, 2.0]])
    found = distances(judged, SEEN)["judged_to_nearest_seen"]
    assert found == pytest.approx({"min": 0.0, "median": 0.5, "max": 2.0})


def test_a_seen_task_is_not_its_own_neighbour() -> None:
    found = distances(SEEN, SEEN)
    assert found["judged_to_nearest_seen"] == {"min": 0.0, "median": 0.0, "max": 0.0}
    assert found["seen_to_nearest_seen"] == pytest.approx({"min": 1.0, "median": 1.0, "max": 2.0})


def test_a_sample_of_seen_tasks_is_compared_with_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(novelty, "SAMPLE", 3)
    found = distances(SEEN, SEEN)["seen_to_nearest_seen"]
    assert found == pytest.approx({"min": 1.0, "median": 1.0, "max": 2.0})


def test_where_there_is_nothing_to_compare_nothing_is_said() -> None:
    assert distances(torch.zeros(3, 0), torch.zeros(4, 0)) == {}
    assert distances(torch.zeros(3, 2), torch.zeros(1, 2)) == {}
