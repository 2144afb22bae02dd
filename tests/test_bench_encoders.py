"""`wsf bench encoders` on a small zoo: what loses nothing has the loss of before, and fewer components lose more."""

from __future__ import annotations

import pytest

from wsframework.benchmarks import benchmark, encoders


def test_losses_stand_beside_those_of_before() -> None:
    assert benchmark("encoders") is encoders.run
    pca = {f"pca, {n}": {"use": "pca", "components": n} for n in (1, 370)}
    table = encoders.run(networks=6, held=3, epochs=2, encoders={"orbit": {"use": "orbit"}, **pca})
    before, mean, orbit, least, all_of_them = table.rows
    assert [row.name for row in table.rows] == ["as they are", "their mean", "orbit", *pca]
    for row in (before, orbit, all_of_them):
        assert row.ratio == pytest.approx(1, rel=1e-3)
    assert mean.ratio is not None
    assert mean.ratio > 1
    assert least.value != before.value
    assert least.note.startswith("1 latents")
