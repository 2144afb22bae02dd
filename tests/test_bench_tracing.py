"""`wsf bench tracing` on small transformers: what is timed, and how the growth is told."""

from __future__ import annotations

import pytest
import torch

from wsframework.benchmarks import benchmark
from wsframework.benchmarks.tracing import run
from wsframework.errors import RequestError

pytestmark = pytest.mark.slow


def test_stages_are_timed_and_their_growth_is_fitted() -> None:
    threads = torch.get_num_threads()
    table = run(widths=[16], layers=[1, 2])
    assert torch.get_num_threads() == threads
    one, two, growth = table.rows
    assert "1 thread" in table.title
    assert one.name == "width 16, 1 layer"
    assert two.name == "width 16, 2 layers"
    assert one.rival == "torch.export alone"
    assert 0 < one.value < two.value
    assert growth.unit == "exponent"
    assert 0 < growth.value < 2


def test_it_is_found_by_name_and_needs_two_depths() -> None:
    assert benchmark("tracing") is run
    with pytest.raises(RequestError, match="from 1 depth"):
        run(layers=[3])
