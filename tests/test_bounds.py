"""Values that leave no part are refused by its signature, in the words of the reference."""

from __future__ import annotations

import math
from typing import Any

import pytest
from tiny import REGISTRY

from wsframework.config.building import build
from wsframework.config.filling import Filling
from wsframework.config.sections import PartConfig
from wsframework.errors import PartError
from wsframework.parts.interfaces import Part
from wsframework.parts.options import options_of

IMPOSSIBLE: dict[tuple[str, str], dict[str, list[Any]]] = {
    ("architecture", "mlp"): {"widths": [[0], [4, -1]]},
    ("task_family", "gaussians"): {
        "classes": [0, 1],
        **{key: [0] for key in ("dimension", "modes", "points", "query")},
        **{key: [-1.0] for key in ("separation", "imbalance")},
        "spread": [[-1, 1], [1, -1]],
    },
    ("task_family", "digits"): {"distance": [0, 6], "query_share": [0, 1]},
    ("task_family", "images"): {
        "size": [3, 33],
        "share": [0, 1],
        "thumbnail": [-1, 17],
        "shrink": [0, 9],
        "contrast": [0, 0.6],
    },
    ("task_family", "dynamics"): {"points": [0], "query": [0], "weight": [0]},
    ("task_family", "shapes"): {"scan": [0, 17], "points": [0], "query": [0]},
    ("task_family", "glyphs"): {"scan": [-1, 33], "points": [0], "query": [0]},
    ("encoder", "pca"): {"components": [0]},
    ("encoder", "sane"): {
        **{key: [0] for key in ("chunk", "channels", "blocks", "heads", "steps", "lr")},
        **{key: [1] for key in ("width", "batch")},
        **{key: [-1] for key in ("contrast", "output", "seed")},
    },
    ("features", "statistics"): {"quantiles": [[-0.1], [0.5, 1.1]]},
    ("features", "probe"): {"points": [0], "turns": [0], "seed": [-1]},
    ("conditioner", "moments"): {"width": [0], "size": [0]},
    ("conditioner", "code"): {"width": [0], "size": [0]},
    ("conditioner", "embedding"): {**{key: [0] for key in ("width", "size", "features", "bandwidth")}, "seed": [-1]},
    **{
        ("scheduler", name): {"steps": [0], "beta_start": [0, 1], "beta_end": [0, 1]}
        for name in ("ddpm", "ddim", "dpm_solver")
    },
    ("scheduler", "flow"): {"steps": [0]},
    ("scheduler", "edm"): {
        "steps": [0],
        **{key: [0, -1] for key in ("sigma_min", "sigma_max", "rho", "p_std")},
        "p_mean": [-21, 21],
    },
    ("denoiser", "deepsets"): {"width": [1], "blocks": [0], "edge_width": [0], "heads": [-1]},
    ("denoiser", "mlp_unet"): {"width": [1], "levels": [0], "blocks": [0], "embedding": [1]},
    ("denoiser", "graph"): {"width": [1], "edge_width": [1], "layers": [0]},
    ("initializer", "ridge"): {"alpha": [0, -1]},
    ("initializer", "search"): {"candidates": [0]},
    **{("initializer", name): {"steps": [-1]} for name in ("hypernetwork", "denoising", "flat")},
    ("initializer", "reptile"): {"rate": [0, 1.5]} | {key: [0] for key in ("steps", "inner", "lr", "batch", "points")},
    ("initializer", "pretrained"): {key: [0] for key in ("steps", "lr", "batch", "points")},
}

CASES = [(*part, option, v) for part, options in IMPOSSIBLE.items() for option in options for v in options[option]]


@pytest.mark.parametrize(("kind", "name", "option", "value"), [*CASES, ("scheduler", "ddim", "eta", 7)])
def test_an_impossible_value_is_refused_before_anything_is_built(kind: str, name: str, option: str, value: Any) -> None:
    filling = Filling(REGISTRY)
    filling.part(kind, {"use": name, option: value}, "here")
    (mistake,) = filling.mistakes
    assert mistake == f"here.{option} = {value}: should be {options_of(REGISTRY.get(kind, name))[option]}"


@pytest.mark.parametrize("part", REGISTRY.all(), ids=lambda part: f"{part.kind}:{part.name}")
def test_no_built_in_number_is_without_a_bound_or_may_be_infinite(part: type[Part]) -> None:
    for option in options_of(part).values():
        if isinstance(option.default, (int, float)) and not isinstance(option.default, bool):
            assert "than" in str(option) or "at least" in str(option), option
            filling = Filling(REGISTRY)
            filling.part(part.kind, {"use": part.name, option.name: math.inf}, "here")
            assert filling.mistakes[0].endswith(", and finite")


def test_building_a_part_judges_its_options_too() -> None:
    with pytest.raises(PartError, match="candidates = 0: should be a whole number of at least 1"):
        build(REGISTRY, "initializer", PartConfig("search", {"candidates": 0}))
