"""`wsf bench store` on a small zoo: its figures hang together, and a zoo that is held in memory is refused."""

from __future__ import annotations

import pytest

from wsframework.benchmarks import benchmark, store
from wsframework.errors import RequestError
from wsframework.pipeline import zoo


def test_a_zoo_that_would_be_in_memory_is_refused() -> None:
    assert benchmark("store") is store.run
    with pytest.raises(RequestError, match=r"0\.5 GB .* held in memory"):
        store.run(gigabytes=0.5)


@pytest.mark.slow
def test_the_figures_hang_together() -> None:
    held, bare, peak, written = store.run(gigabytes=1.5 * zoo.IN_MEMORY / 1e9).rows
    assert held.value == pytest.approx(1.5 * zoo.IN_MEMORY / 1e9, rel=0.1)
    assert bare.value < peak.value
    assert peak.ratio == pytest.approx(peak.value / held.value)
    assert written.value > 0
