"""bfloat16 is where the denoiser multiplies, and nowhere else; where a GPU has it not, that is a sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from tiny import REGISTRY, tiny

import wsframework as wsf
from wsframework.config.sections import TrainSection
from wsframework.errors import RequestError
from wsframework.pipeline.single import Run
from wsframework.pipeline.stage import fingerprint
from wsframework.prior import Prior
from wsframework.zoo import Zoo

HALF = {"precision": "bfloat16"}
SMALL: dict[str, dict[str, Any]] = {
    "deepsets": {"width": 8, "blocks": 1},
    "functional": {"width": 4, "blocks": 1},
    "graph": {"width": 8, "layers": 1},
    "mlp_unet": {},
    "tokens": {"width": 8, "blocks": 1},
}


@pytest.fixture(scope="module")
def zoo() -> Zoo:
    tasks = REGISTRY.get("task_family", "gaussians")(points=24).draw(16, 0, 1, torch.Generator().manual_seed(0)).seen
    return wsf.train_zoo({"use": "mlp", "widths": [4]}, tasks, epochs=3)


def fitted(zoo: Zoo, denoiser: dict[str, Any], steps: int = 3, **train: Any) -> Prior:
    encoder = "coordinate" if denoiser["use"] == "mlp_unet" else "orbit"
    network = {"use": "mlp", "widths": [4]}
    return wsf.fit_prior(zoo, network=network, encoder=encoder, denoiser=denoiser, steps=steps, batch=8, **train)


@pytest.mark.parametrize("use", SMALL)
@pytest.mark.parametrize("train", [{}, {"output_weight": 1.0, "unroll": 2, "predict": "clean"}])
def test_denoisers_are_trained_in_it_and_sample_without(zoo: Zoo, use: str, train: dict[str, Any]) -> None:
    denoiser = {"use": use, **SMALL[use]}
    half, single = fitted(zoo, denoiser, **HALF, **train), fitted(zoo, denoiser, **train)
    for a, b in zip(half.parameters(), single.parameters(), strict=True):
        assert a.dtype == torch.float32
        torch.testing.assert_close(a, b, rtol=0, atol=2 * 3 * TrainSection.lr)  # three steps of Adam either way
    assert any(not torch.equal(a, b) for a, b in zip(half.parameters(), single.parameters(), strict=True))
    assert half.sample(zoo.tasks[0]).x.dtype == torch.float32


def test_only_the_denoiser_computes_in_it(zoo: Zoo, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = set()

    def watched(part: str, kind: str, method: str) -> None:
        cls = REGISTRY.get(kind, part)
        plain = getattr(cls, method)

        def called(self: Any, *given: Any) -> Any:
            seen.add((kind, torch.is_autocast_enabled("cpu")))
            return plain(self, *given)

        monkeypatch.setattr(cls, method, called)

    watched("deepsets", "denoiser", "forward")
    watched("moments", "conditioner", "forward")
    watched("mlp", "architecture", "apply")
    fitted(zoo, {"use": "deepsets", "width": 8, "blocks": 1}, output_weight=1.0, **HALF)
    assert seen == {("denoiser", True), ("conditioner", False), ("architecture", False)}


def test_it_is_refused_where_a_gpu_has_it_not(zoo: Zoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: (7, 5))
    with pytest.raises(RequestError, match=r"compute capability 8\.0 .* this one has 7\.5"):
        Run(tiny(train__precision="bfloat16"), REGISTRY, tmp_path, "cuda")
    with pytest.raises(RequestError, match=r"train\.precision"):
        wsf.fit_prior(zoo, network={"use": "mlp", "widths": [4]}, device="cuda", **HALF)
    Run(tiny(), REGISTRY, tmp_path, "cuda")


def test_a_prior_in_it_is_another_stage() -> None:
    assert fingerprint(TrainSection(steps=1)) != fingerprint(TrainSection(steps=1, precision="bfloat16"))
