"""Every built-in part keeps the promises of its interface, with its defaults and with options that change its form."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import REGISTRY
from torch import Tensor

from wsframework.parts.interfaces import Denoiser
from wsframework.spaces import Symmetry, WeightSpace
from wsframework.testing import Subject, parametrize_with_checks
from wsframework.testing.check import Check, Refuted
from wsframework.testing.equivariance import TOLERANCES, equivariance_error
from wsframework.testing.promises.denoiser import claim
from wsframework.testing.strategies import conditions, mlp_spaces, symmetries, times, weights
from wsframework.testing.subject import randomised

OPTIONS = [
    ("conditioner", "embedding", {"features": 5}),
    ("conditioner", "set", {"width": 8, "examples": 2, "kept": 3, "inducing": 2, "heads": 2, "pool": "attention"}),
    ("conditioner", "text", {"reader": "characters", "buckets": 1024}),
    ("conditioner", "concat", {"parts": [{"use": "moments"}, {"use": "text"}, {"use": "set", "width": 8}]}),
    ("denoiser", "guided", {"inner": {"use": "deepsets", "width": 8, "blocks": 1}, "scale": 3.0}),
    ("features", "probe", {"turns": 3, "points": 2, "learned": True}),
    ("architecture", "mlp", {"widths": (5, 4), "activation": "tanh"}),
    ("architecture", "mlp", {"widths": (3,), "bias": False, "activation": "gelu"}),
    ("task_family", "gaussians", {"arrangement": "scattered", "modes": 2, "imbalance": 1.0, "points": 12, "query": 9}),
    ("task_family", "gaussians", {"arrangement": "rings", "classes": 3, "dimension": 4, "points": 12, "query": 9}),
    ("task_family", "sinusoids", {"code": True, "noise": 0.1}),
    ("task_family", "sequences", {"length": 8, "vocabulary": 3, "points": 40, "query": 40}),
    ("task_family", "markov", {"vocabulary": 4, "length": 9, "code": True, "points": 8, "query": 8}),
    ("denoiser", "gauged", {"scales": True, "inner": {"use": "functional", "width": 4, "blocks": 1, "context": 8}}),
    ("encoder", "orbit", {"means": "still"}),
    ("initializer", "pretrained", {"steps": 3}),
    ("initializer", "reptile", {"steps": 2, "inner": 2}),
]
NETWORKS = [
    ("cnn", {"norm": "batch", "readout": "flatten", "activation": "tanh", "pooling": "average", "stride": 1}),
    ("cnn", {"channels": (3,), "kernel": 2, "stride": 1, "pooling": "max", "activation": "silu"}),
    ("resnet", {"channels": (4, 3), "blocks": 2}),
    ("transformer", {"pooling": "class", "causal": True, "activation": "relu", "heads": 1}),
    ("transformer", {"vocabulary": 3, "depth": 1}),
    ("gru", {"vocabulary": 3, "depth": 2, "width": 4}),
    ("siren", {"widths": (4, 5, 3), "omega": 3.0}),
]
SLOW_OPTIONS: list[tuple[str, str, dict[str, Any]]] = [
    ("encoder", "sane", {"steps": 4, "width": 8, "blocks": 1, "heads": 2, "batch": 4}),
    ("encoder", "canonical", {"neurons": "align", "inner": {"use": "pca"}}),
    ("encoder", "pca", {"components": 6, "whiten": False}),
    ("features", "probe", {"inputs": "tasks", "points": 4}),
    ("denoiser", "deepsets", {"width": 16, "heads": 4}),
    ("denoiser", "deepsets", {"width": 12, "blocks": 1, "edge_width": 4}),
    ("denoiser", "graph", {"width": 16, "edge_width": 8, "layers": 2}),
    ("denoiser", "gauged", {}),
    ("denoiser", "gauged", {"inner": {"use": "graph", "width": 8, "edge_width": 4, "layers": 1}}),
    ("denoiser", "gauged", {"signs": False, "scales": True, "inner": {"use": "deepsets", "width": 8, "blocks": 1}}),
    ("encoder", "layer", {"means": "still"}),
    ("denoiser", "mlp_unet", {"width": 32, "levels": 3, "embedding": 16}),
    ("denoiser", "guided", {}),
    ("denoiser", "guided", {"inner": {"use": "mlp_unet", "width": 16, "levels": 1}}),
    ("scheduler", "ddpm", {"schedule": "linear", "steps": 100}),
    ("scheduler", "ddim", {"eta": 0.5}),
    ("scheduler", "ddpm", {"schedule": "sigmoid", "steps": 20}),
    ("scheduler", "dpm_solver", {"schedule": "linear", "steps": 100}),
    ("scheduler", "dpm_solver", {}),
    ("scheduler", "flow", {}),
    ("scheduler", "flow", {"solver": "heun"}),
    ("scheduler", "edm", {"solver": "euler", "sigma_max": 20.0, "steps": 40}),
    ("task_family", "mnist", {"distance": 3, "size": 14, "points": 100, "query": 50}),
    ("task_family", "mnist", {"tasks": "pairs", "size": 14}),
    ("task_family", "mnist", {"tasks": "rotations", "size": 7, "points": 10, "query": 10}),
    ("task_family", "mnist1d", {"points": 50, "query": 50}),
    ("task_family", "mnist1d", {"tasks": "knobs", "points": 10, "query": 10}),
    ("task_family", "tabular", {"hold_out": "sets", "features": 3, "points": 12, "query": 12}),
    ("task_family", "tabular", {}),
    ("task_family", "sequences", {}),
    ("task_family", "markov", {}),
    ("task_family", "digits", {}),
    ("task_family", "sinusoids", {}),
    ("task_family", "images", {}),
    ("task_family", "images", {"colour": True, "thumbnail": 0, "size": 8}),
    ("task_family", "dynamics", {}),
    ("task_family", "dynamics", {"equation": "burgers", "points": 12, "query": 9}),
    ("task_family", "shapes", {}),
    ("task_family", "shapes", {"code": "scan", "points": 12, "query": 9}),
    ("task_family", "glyphs", {}),
]
SLOW = {
    "guided",
    "sane",
    "gauged",
    "pretrained",
    "digits",
    "sinusoids",
    "reptile",
    "mnist",
    "mnist1d",
    "tabular",
    "sequences",
    "markov",
    "images",
    "dynamics",
    "shapes",
    "glyphs",
    "dpm_solver",
    "flow",
}
HEAVY = {"edm", "cnn", "resnet", "transformer", "gru", "rnn"}
CLAIMING = {name for name, part in REGISTRY.parts("denoiser").items() if part.symmetry == "equivariant"}
SUBJECTS = [
    *(
        Subject(part, examples=1 if part.name in HEAVY else 6, registry=REGISTRY)
        for part in REGISTRY.all()
        if part.name not in SLOW
    ),
    *(Subject(REGISTRY.get(kind, name), options, examples=6, registry=REGISTRY) for kind, name, options in OPTIONS),
]


@parametrize_with_checks(SUBJECTS)
def test_a_built_in_part_keeps_its_promises(part: Subject, check: Check) -> None:
    check(part)


@pytest.mark.slow
@parametrize_with_checks(
    [Subject(REGISTRY.get("architecture", name), options, examples=6, registry=REGISTRY) for name, options in NETWORKS]
)
def test_an_architecture_keeps_its_promises_in_other_forms(part: Subject, check: Check) -> None:
    check(part)


@pytest.mark.slow
@parametrize_with_checks(
    [Subject(REGISTRY.get(kind, name), options, examples=6, registry=REGISTRY) for kind, name, options in SLOW_OPTIONS]
)
def test_a_built_in_part_keeps_its_promises_with_more_data(part: Subject, check: Check) -> None:
    check(part)


def denoiser(name: str, space: WeightSpace, seed: int, dtype: torch.dtype) -> Denoiser:
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        made: Denoiser = Subject(REGISTRY.get("denoiser", name), registry=REGISTRY).build(space, 2)
    return randomised(made, torch.Generator().manual_seed(seed)).to(dtype).eval()


@st.composite
def calls(draw: st.DrawFn, space: WeightSpace) -> tuple[Symmetry, tuple[Tensor, Tensor, Tensor]]:
    """A group element, and what a denoiser is called with."""
    inputs = draw(weights(space, batch=2)), draw(times(2)), draw(conditions(2, 2))
    return draw(symmetries(space, gauge=False)), inputs


def error(name: str, space: WeightSpace, call: Any, seed: int, dtype: torch.dtype) -> float:
    made, g = denoiser(name, space, seed, dtype), call[0]
    x_t, t, condition = (value.to(dtype) for value in call[1])
    return equivariance_error(lambda x: made(x, t, condition, space), space, x_t, g)


@pytest.mark.parametrize("name", sorted(CLAIMING - SLOW))
@settings(max_examples=25)
@given(data=st.data(), space=mlp_spaces(hidden_layers=(1, 4), widths=(1, 16)), seed=st.integers(0, 2**32 - 1))
def test_every_denoiser_that_claims_it_is_equivariant_up_to_rounding(
    name: str, data: st.DataObject, space: WeightSpace, seed: int
) -> None:
    call = data.draw(calls(space))
    for dtype, bound in TOLERANCES.items():
        assert error(name, space, call, seed, dtype) <= bound


@settings(max_examples=10)
@given(data=st.data(), space=mlp_spaces(widths=(6, 16)), seed=st.integers(0, 2**32 - 1))
def test_the_flat_denoiser_is_not_equivariant(data: st.DataObject, space: WeightSpace, seed: int) -> None:
    assert REGISTRY.get("denoiser", "mlp_unet").symmetry is None
    g, inputs = data.draw(calls(space))
    moved = not torch.equal(g.index, torch.arange(space.size))
    assert (error("mlp_unet", space, (g, inputs), seed, torch.float64) > 1e-2) == moved


def test_were_it_to_claim_so_it_would_be_refuted() -> None:
    honest = REGISTRY.get("denoiser", "mlp_unet")
    liar = type("Liar", (honest,), {"name": "liar", "symmetry": "equivariant", "__doc__": honest.__doc__})
    with pytest.raises(Refuted, match="it is not equivariant: the relative error is"):
        claim(Subject(liar, {"width": 16}, registry=REGISTRY))
