"""`wsf bench zoo` on a small zoo: what is measured, and that blocks are faster than one by one."""

from __future__ import annotations

import pytest
import torch
from tiny import REGISTRY

from wsframework.benchmarks import benchmark
from wsframework.benchmarks.zoo import bound, run
from wsframework.benchmarks.zoo.bound import bandwidth, moved
from wsframework.benchmarks.zoo.steps import SETTINGS
from wsframework.errors import RequestError
from wsframework.tasks import TaskShape


@pytest.mark.slow
def test_blocks_are_many_times_faster_and_train_as_well():
    threads = torch.get_num_threads()
    table = run(networks=500, turns=1)
    assert torch.get_num_threads() == threads
    blocks, single, total, block_loss, single_loss, *steps, copied = table.rows
    assert torch.__version__ in table.title
    assert "1 thread" in table.title
    assert blocks.rival == single.name
    assert blocks.ratio is not None
    assert blocks.ratio > 10
    assert blocks.ratio == pytest.approx(blocks.value / single.value, rel=0.5)
    assert total.value == pytest.approx(500 / blocks.value)
    assert "2 alternating passes" in blocks.note
    assert block_loss.value == pytest.approx(single_loss.value, rel=1)
    assert block_loss.ratio == pytest.approx(block_loss.value / single_loss.value)
    assert 0 < single_loss.value < 0.1
    for mine, loop in zip(steps[::2], steps[1::2], strict=True):
        assert mine.ratio == pytest.approx(loop.value / mine.value)
        assert mine.ratio > 1, mine
    assert len(steps) == 2 * len(SETTINGS)
    assert copied.unit == "GB/s"
    assert all(row.bound is not None and 0 < row.bound < 1 for row in (blocks, *steps[::2]))


def test_the_bound_counts_weights_and_activations() -> None:
    architecture = REGISTRY.get("architecture", "mlp")(widths=(4,))
    shape = TaskShape((2,), (3,))
    size, outputs = 4 * 2 + 4 + 3 * 4 + 3, 2 + 3 + 4 + 4 + 3  # the data, and what the three layers put out
    for points in (1, 32):
        assert moved(architecture, shape, points) == 4 * (10 * size + 2 * points * outputs)


def test_copies_are_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bound, "COPIED", 2**22)
    assert 1e8 < bandwidth() < 1e13


def test_it_is_found_by_name_and_refuses_an_empty_zoo():
    assert benchmark("zoo") is run
    with pytest.raises(RequestError, match="a zoo of 0 networks"):
        run(networks=0)
