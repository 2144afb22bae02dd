"""`wsf bench sampling` on a prior that has learnt next to nothing: every scheduler, its calls and its loss."""

from __future__ import annotations

import pytest

from wsframework.benchmarks import benchmark, sampling
from wsframework.errors import RequestError


def test_it_is_found_by_name_and_refuses_nothing_to_judge() -> None:
    assert benchmark("sampling") is sampling.run
    with pytest.raises(RequestError, match="judged on one task"):
        sampling.run(judged=0)


def test_every_scheduler_is_timed_and_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "STEPS", (3, 50))
    rows = {row.name: row for row in sampling.run(networks=8, training=2, judged=4, turns=1).rows}
    assert len(rows) == 2 * sum(map(len, sampling.SAMPLERS.values()))
    calls = {name: int(row.note.split(", ")[1].split(" ")[0]) for name, row in rows.items()}
    assert calls["ddpm, 50 steps"] == 50
    assert {calls[f"{name}, 3 steps"] for name in ("ddim", "dpm_solver", "flow, Euler", "edm, Euler")} == {3}
    assert calls["flow, Heun, 3 steps"] == calls["edm, Heun, 3 steps"] == 5
    beside = rows[sampling.BESIDE]
    for row in rows.values():
        assert row.value is not None
        assert row.ratio == (None if row is beside else pytest.approx(row.value / beside.value))
