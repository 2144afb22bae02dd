"""`Regressor` and `Classifier`: what they say of a network does not depend on the order of its neurons."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import REGISTRY
from torch import Tensor

import wsframework as wsf
from wsframework.config.sections import PartConfig
from wsframework.errors import ConfigError, PartError, RequestError, SpaceError, StoreError
from wsframework.models.model import Model
from wsframework.models.network import ReadingNetwork
from wsframework.models.readout import Pooled
from wsframework.models.recipe import Recipe
from wsframework.parts.interfaces import Denoiser
from wsframework.parts.registry import Registry
from wsframework.spaces import orbits
from wsframework.store import load_json, save_json
from wsframework.testing.equivariance import assert_invariant, invariance_error
from wsframework.testing.strategies import mlp_space, mlp_spaces

SMALL = {"use": "functional", "width": 4, "blocks": 1, "context": 4}
SPACE = mlp_space((2, 5, 4, 3))
CONV = wsf.WeightSpace.parse("""
    free c1=3 c2=4
    fixed in=1 tap=2 out=2
    first.weight   c1 in tap tap as input.weight
    first.bias     c1 as input.bias
    second.weight  c2 c1 tap tap as hidden.weight
    second.bias    c2 as hidden.bias
    head.weight    out c2 as output.weight
""")


def networks(space: wsf.WeightSpace, count: int, seed: int = 0) -> wsf.Weights:
    return wsf.Weights(space, torch.randn(count, space.size, generator=torch.Generator().manual_seed(seed)))


def reading(space: wsf.WeightSpace, body: str = "functional", outputs: int = 2, **options: int) -> ReadingNetwork:
    """An untrained network in double precision, with scales that are not one."""
    torch.manual_seed(0)
    found = ReadingNetwork(PartConfig(body, options), [space], outputs, Recipe(hidden=8), REGISTRY).double().eval()
    found.scale.std.uniform_(0.5, 2)
    found.standard.mean.normal_()
    return found


def sums(weights: wsf.Weights) -> Tensor:
    """A property that no permutation changes."""
    return weights.x.square().sum(1)


# ------------------------------------------------------------------------------------------------------- what they read


@settings(max_examples=12)
@given(mlp_spaces(widths=(1, 5)) | st.just(CONV), st.sampled_from(["functional", "deepsets"]), st.integers(0, 2**16))
def test_an_answer_is_the_same_for_all_orders_of_the_neurons(space: wsf.WeightSpace, body: str, seed: int) -> None:
    network = reading(space, body, width=4, blocks=1)
    assert_invariant(lambda x: network(x, space), space, draws=2)


class OneCoordinate(Pooled):
    """A mutant: it reads the first coordinate of each orbit, and not their mean."""

    def forward(self, h: Tensor, space: wsf.WeightSpace) -> Tensor:
        index = self.places.of(space, h.device)
        first = torch.stack([(index == k).nonzero()[0, 0] for k in range(len(self.places))])
        chosen = h[:, first].flatten(1)
        return torch.cat([chosen, chosen.square()], 1)


def test_a_readout_of_fixed_coordinates_is_caught() -> None:
    network, g = reading(SPACE, width=4, blocks=1), SPACE.random_symmetry(torch.Generator().manual_seed(1))
    x = networks(SPACE, 3).x.double()
    assert invariance_error(lambda x: network(x, SPACE), SPACE, x, g) < 1e-12
    network.pool = OneCoordinate(network.pool.places, 1 + 4)
    assert invariance_error(lambda x: network(x, SPACE), SPACE, x, g) > 1e-3


@pytest.mark.parametrize("body", ["functional", "deepsets", "mlp_unet"])
@pytest.mark.parametrize("space", [SPACE, CONV], ids=["mlp", "conv"])
def test_an_answer_depends_on_every_weight(space: wsf.WeightSpace, body: str) -> None:
    network = reading(space, body, width=4)
    x = networks(space, 4).x.double().requires_grad_()
    (gradient,) = torch.autograd.grad(network(x, space).square().sum(), x)
    assert (gradient.abs().sum(0) > 1e-12).all()


def test_networks_are_judged_one_by_one() -> None:
    network, x = reading(SPACE, width=4, blocks=1), networks(SPACE, 4).x.double()
    alone = torch.cat([network(row, SPACE) for row in x.split(1)])
    torch.testing.assert_close(alone, network(x, SPACE), rtol=1e-12, atol=1e-12)


def test_what_the_functional_body_holds_moves_with_the_neurons() -> None:
    network, g = reading(CONV, width=3, blocks=1), CONV.random_symmetry(torch.Generator().manual_seed(2))
    x = networks(CONV, 3).x.double()
    held, moved = (network.channels(v, CONV).movedim(-1, 0) for v in (x, g.act(x)))
    assert held.shape == (1 + 3, 3, CONV.size)
    torch.testing.assert_close(moved, held[..., g.index], rtol=1e-12, atol=1e-12)
    assert len({tuple(row) for row in held[1].round(decimals=9).tolist()}) == 3


def test_pooled_features_are_moments_of_orbits() -> None:
    network, x = reading(SPACE, "functional", width=2, blocks=1), networks(SPACE, 3).x.double()
    h = network.channels(x, SPACE)
    index, keys = orbits(SPACE).index, orbits(SPACE).keys
    wanted = [[h[:, index == k].pow(p).mean(1) for k in range(len(keys))] for p in (1, 2)]
    expected = torch.stack([torch.stack(row, 1) for row in wanted], 1).flatten(1)
    torch.testing.assert_close(network.pool(h, SPACE), expected)


# ------------------------------------------------------------------------------------------------------ what they learn


@pytest.fixture(scope="module")
def fitted() -> wsf.Regressor:
    weights = networks(SPACE, 160)
    return wsf.Regressor(SMALL, epochs=12, lr=0.01, seed=3).fit(weights, sums(weights))


def test_a_property_of_unseen_networks_is_learned(fitted: wsf.Regressor) -> None:
    unseen = networks(SPACE, 100, seed=9)
    assert fitted.score(unseen, sums(unseen)) > 0.7
    assert fitted.losses[-1] < 0.3 * fitted.losses[0]
    g = SPACE.random_symmetry(torch.Generator().manual_seed(4))
    moved = wsf.Weights(SPACE, g.act(unseen.x))
    np.testing.assert_allclose(fitted.predict(moved), fitted.predict(unseen), rtol=1e-3, atol=1e-3)


def test_equal_seeds_give_equal_models_and_leave_the_global_generator(fitted: wsf.Regressor) -> None:
    weights = networks(SPACE, 40)
    torch.manual_seed(5)
    before = torch.get_rng_state()
    one, same, other = (
        wsf.Regressor(SMALL, epochs=1, dropout=0.2, seed=s).fit(weights, sums(weights)) for s in (1, 1, 2)
    )
    assert torch.equal(torch.get_rng_state(), before)
    assert np.array_equal(one.predict(weights), same.predict(weights))
    assert not np.array_equal(one.predict(weights), other.predict(weights))


def test_several_widths_and_depths_are_read_together() -> None:
    spaces = [mlp_space((2, *widths, 3)) for widths in ((4,), (6, 5), (3, 4, 5))]
    given = [networks(space, 30, seed) for seed, space in enumerate(spaces)]
    targets = torch.cat([sums(weights) for weights in given])
    model = wsf.Regressor(SMALL, epochs=6, lr=0.01).fit(given, targets)
    assert model.score(given, targets) > 0.5
    assert np.array_equal(model.predict(given), np.concatenate([model.predict(part) for part in given]))
    wider = networks(mlp_space((2, 9, 7, 3)), 4)  # widths that it has not seen
    assert np.isfinite(model.predict(wider)).all()


def test_classes_may_be_words_and_are_told_with_probabilities() -> None:
    weights = networks(SPACE, 120)
    labels = np.where(sums(weights) > sums(weights).median(), "large", "little")
    model = wsf.Classifier(SMALL, epochs=10, lr=0.01, augment="permutations").fit(weights, labels)
    assert model.classes.tolist() == ["large", "little"]
    assert model.score(weights, labels) > 0.85
    proba = model.predict_proba(weights)
    np.testing.assert_allclose(proba.sum(1), 1)
    assert np.array_equal(model.classes[proba.argmax(1)], model.predict(weights))


def test_a_zoo_is_taken_and_several_numbers_a_network() -> None:
    weights = networks(SPACE, 20)
    zoo = wsf.Zoo(weights, torch.zeros(20, dtype=torch.long), [], torch.zeros(20))
    targets = torch.stack([sums(weights), weights.x[:, 0]], 1)
    model = wsf.Regressor(SMALL, epochs=1).fit(zoo, targets)
    assert model.predict(zoo).shape == (20, 2)


class Squares(Denoiser):
    """A stranger's body: it knows nothing of models, and has the abstract method only."""

    name = "squares"
    symmetry = "equivariant"

    def __init__(self, space: wsf.WeightSpace, condition_size: int) -> None:
        super().__init__()
        self.a = torch.nn.Parameter(torch.ones(()))

    def forward(self, x_t: Tensor, t: Tensor, condition: Tensor, space: wsf.WeightSpace) -> Tensor:
        return self.a * x_t.square()


def test_a_denoiser_of_a_plugin_is_a_body_as_it_is() -> None:
    registry = Registry()
    registry.add(Squares, "strangers")
    weights = networks(SPACE, 100)
    model = wsf.Regressor("squares", epochs=20, lr=0.01, registry=registry).fit(weights, sums(weights))
    assert model.score(weights, sums(weights)) > 0.9


@pytest.mark.parametrize("kind", [wsf.Regressor, wsf.Classifier], ids=lambda kind: kind.kind)
def test_a_saved_model_says_the_same(kind: type[Model], tmp_path: Path) -> None:
    weights = networks(SPACE, 24)
    targets = (sums(weights) > sums(weights).median()).long()
    model = kind(SMALL, epochs=1, hidden=5).fit(weights, targets)
    model.save(tmp_path / "model")
    again = kind.load(tmp_path / "model")
    assert np.array_equal(again.predict(weights), model.predict(weights))
    assert (again.recipe, again.spaces, again.losses, again.targets) == (
        model.recipe,
        model.spaces,
        model.losses,
        model.targets,
    )


# ----------------------------------------------------------------------------------------------- mistakes are sentences


def test_what_can_not_be_learned_is_refused() -> None:
    weights, model = networks(SPACE, 10), wsf.Regressor(SMALL, epochs=1)
    with pytest.raises(RequestError, match="knows nothing yet: call fit"):
        model.predict(weights)
    with pytest.raises(RequestError, match="10 networks were given, and 9"):
        model.fit(weights, torch.zeros(9))
    with pytest.raises(RequestError, match="target of network 2 is no finite number"):
        model.fit(weights, [0.0, 1.0, float("nan"), *[0.0] * 7])
    broken = weights.x.clone()
    broken[4, 7] = float("inf")
    with pytest.raises(RequestError, match="network 4 has weights that are no finite numbers"):
        model.fit(wsf.Weights(SPACE, broken), torch.zeros(10))
    with pytest.raises(RequestError, match="as a list of these; this is of type Tensor"):
        model.fit(weights.x, torch.zeros(10))  # type: ignore[arg-type]
    with pytest.raises(RequestError, match="targets are numbers"):
        model.fit(weights, ["a"] * 10)
    with pytest.raises(RequestError, match="at least two classes apart; all targets are 1"):
        wsf.Classifier(SMALL).fit(weights, [1] * 10)
    with pytest.raises(RequestError, match="whole numbers or words"):
        wsf.Classifier(SMALL).fit(weights, torch.rand(10))


def test_the_reference_has_every_key_of_a_recipe() -> None:
    text = (Path(__file__).parent.parent / "docs" / "reference" / "python.md").read_text(encoding="utf-8")
    for field in fields(Recipe):
        shown = f'"{field.default}"' if isinstance(field.default, str) else field.default
        assert f"| `{field.name}` | {f'`{shown}`' if isinstance(field.default, str) else shown} |" in text


def test_wrong_parts_and_keys_are_named() -> None:
    with pytest.raises(PartError, match="did you mean 'functional'"):
        wsf.Regressor("functionals")
    with pytest.raises(ConfigError, match=r"epoch.*did you mean 'epochs'"):
        wsf.Regressor(epoch=3)
    with pytest.raises(ConfigError, match="augment"):
        wsf.Regressor(augment="signs")


def test_networks_of_another_space_are_refused(fitted: wsf.Regressor) -> None:
    with pytest.raises(SpaceError, match="those that the model was fitted to have none"):
        fitted.predict(networks(mlp_space((4, 5, 4, 3)), 2))
    weights = networks(SPACE, 10)
    flat = wsf.Regressor({"use": "mlp_unet", "width": 8}, epochs=1).fit(weights, sums(weights))
    assert np.isfinite(flat.predict(weights)).all()
    with pytest.raises(SpaceError, match="mlp_unet was built for"):
        flat.predict(networks(mlp_space((2, 5, 5, 3)), 2))
    with pytest.raises(RequestError, match="targets have shape"):
        flat.score(weights, torch.zeros(10, 2))
    with pytest.raises(RequestError, match="do not vary"):
        flat.score(weights, torch.zeros(10))


def test_a_folder_that_holds_something_else_is_refused(fitted: wsf.Regressor, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"config\.json: can't be read"):
        wsf.Regressor.load(tmp_path)
    fitted.save(tmp_path)
    with pytest.raises(StoreError, match="this is a regressor, not a classifier"):
        wsf.Classifier.load(tmp_path)
    config = load_json(tmp_path / "config.json")
    config["body"]["options"]["width"] = 5
    save_json(tmp_path / "config.json", config)
    with pytest.raises(StoreError, match="the tensors do not fit the body"):
        wsf.Regressor.load(tmp_path)
    save_json(tmp_path / "config.json", {"model": "regressor"})
    with pytest.raises(StoreError, match="not what this version says of a model"):
        wsf.Regressor.load(tmp_path)
