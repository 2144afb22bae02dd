"""Features: statistics are those of numpy, probes ask what they should, and models read and keep them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from wsf_equivariant.probe import Probe
from wsf_equivariant.statistics import Statistics
from wsf_networks.cnn import Cnn
from wsf_networks.mlp import Mlp
from wsf_networks.recurrent import Rnn
from wsf_tasks.gaussians import Gaussians

import wsframework as wsf
from wsframework.errors import PartError, RequestError, SpaceError
from wsframework.stated import Stated
from wsframework.tasks import TaskShape
from wsframework.testing.equivariance import invariance_error
from wsframework.testing.strategies import mlp_space, mlp_spaces

VECTORS, SEQUENCES = TaskShape((2,), (3,)), TaskShape((5, 2), (3,))
PROBE = {"use": "probe", "points": 4}
MLP = {"use": "mlp", "widths": [4]}


def networks(architecture: wsf.Architecture, shape: TaskShape, count: int = 4) -> Tensor:
    size = architecture.space(shape).size
    return torch.randn(count, size, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def zoo(count: int = 24) -> wsf.Zoo:
    tasks = Gaussians(points=16, query=4).draw(count, 0, 0, torch.Generator().manual_seed(0)).seen
    return wsf.train_zoo(MLP, tasks, epochs=1)


@settings(max_examples=10)
@given(mlp_spaces(widths=(1, 6)), st.lists(st.floats(0, 1), max_size=3), st.integers(0, 2**16))
def test_statistics_are_those_of_each_parameter(space: wsf.WeightSpace, quantiles: list[float], seed: int) -> None:
    features = Statistics(Stated(space=str(space)), VECTORS, quantiles=tuple(quantiles))
    x = torch.randn(3, space.size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    rows = [value.reshape(3, -1).numpy() for value in space.unflatten(x).values()]
    of = [[r.mean(1), r.std(1), *(np.quantile(r, q, axis=1) for q in quantiles)] for r in rows]
    found = features(x).numpy()
    np.testing.assert_allclose(found, np.stack([v for row in of for v in row], 1), atol=1e-12)
    assert found.shape[1] == features.size


def test_statistics_change_with_scales_and_a_probe_does_not() -> None:
    cnn, images = Cnn(channels=(5,)), TaskShape((1, 4, 4), (3,))
    space, x = cnn.space(images), networks(cnn, images)
    g = space.random_symmetry(torch.Generator().manual_seed(1))
    assert invariance_error(Statistics(cnn, images), space, x, g) > 1e-2
    assert invariance_error(Probe(cnn, images), space, x, g) < 1e-12


def test_a_probe_is_the_answers_of_a_network() -> None:
    mlp = Mlp(widths=(5,))
    probe, x = Probe(mlp, VECTORS, points=6), networks(mlp, VECTORS)
    module = mlp.network(VECTORS).double()
    module.load_state_dict(wsf.Weights(mlp.space(VECTORS), x)[2])
    torch.testing.assert_close(probe(x)[2], module(probe.begun.double()).flatten())


def test_turns_ask_by_the_last_answer() -> None:
    """A network that answers otherwise is asked otherwise; the first turn is the same without any further."""
    mlp = Mlp(widths=(5,))
    x = networks(mlp, VECTORS)
    asked: list[Tensor] = []
    apply = mlp.apply
    mlp.apply = lambda shape, p, inputs: (asked.append(inputs), apply(shape, p, inputs))[1]  # type: ignore[method-assign]
    three, one = Probe(mlp, VECTORS, points=2, turns=3), Probe(mlp, VECTORS, points=2)
    told = three(x)
    assert (three.size, len(asked)) == (3 * one.size, 3)
    torch.testing.assert_close(told[:, : one.size], one(x))
    assert torch.equal(asked[0][0], asked[0][1])
    assert not torch.allclose(asked[1][0], asked[1][1])


def test_a_sequence_goes_on_by_the_last_answer() -> None:
    rnn = Rnn(width=4)
    x = networks(rnn, SEQUENCES)
    asked: list[Tensor] = []
    apply = rnn.apply
    rnn.apply = lambda shape, p, inputs: (asked.append(inputs), apply(shape, p, inputs))[1]  # type: ignore[method-assign]
    Probe(rnn, SEQUENCES, points=2, turns=2)(x)
    assert torch.equal(asked[1][:, :, :-1], asked[0][:, :, 1:])
    assert not torch.allclose(asked[1][0, :, -1], asked[1][1, :, -1])


def test_a_probe_takes_inputs_of_tasks_or_says_that_there_are_none() -> None:
    probe = Probe(Mlp(), VECTORS, inputs="tasks", points=3)
    with pytest.raises(PartError, match="these networks come without"):
        probe.fit(torch.empty(0), torch.empty(0))
    inputs = torch.arange(10.0).reshape(5, 2)
    probe.fit(torch.empty(0), inputs)
    assert torch.equal(probe.begun, inputs[[0, 2, 4]])


def test_networks_of_which_only_the_space_is_known_can_not_be_asked() -> None:
    with pytest.raises(RequestError, match="known by their weight space alone"):
        Probe(Stated(space=str(mlp_space((2, 3, 1)))), VECTORS)


@pytest.mark.parametrize("features", ["statistics", {**PROBE, "inputs": "tasks"}], ids=["statistics", "probe"])
def test_a_model_reads_features_and_keeps_them(features: object, tmp_path: Path) -> None:
    seen = zoo()
    model = wsf.Regressor(features=features, network=MLP, epochs=2).fit(seen, seen.loss)  # type: ignore[arg-type]
    space, predicted = seen.weights.space, model.predict(seen)
    g = space.random_symmetry(torch.Generator().manual_seed(1), gauge=False)
    np.testing.assert_allclose(
        model.predict(wsf.Weights(space, g.act(seen.weights.x))), predicted, rtol=1e-3, atol=1e-5
    )
    model.save(tmp_path)
    assert np.array_equal(wsf.Regressor.load(tmp_path).predict(seen), predicted)
    with pytest.raises(SpaceError, match="describe networks of the one space"):
        model.predict(wsf.Weights(mlp_space((1, 2, 1)), torch.zeros(1, 7)))


@pytest.mark.parametrize("learned", [True, False])
def test_inputs_are_trained_where_they_should_be(learned: bool) -> None:
    seen = zoo(8)
    model = wsf.Regressor(features={**PROBE, "learned": learned}, network=MLP, epochs=2).fit(seen, seen.loss)
    described = model.network.described
    assert isinstance(described, Probe)
    drawn = Probe(Mlp(widths=(4,)), seen.tasks[0].shape, points=4)
    assert torch.equal(described.begun, drawn.begun) != learned


def test_what_a_model_can_not_know_is_said() -> None:
    seen = zoo(4)
    with pytest.raises(PartError, match="did you mean 'statistics'"):
        wsf.Regressor(features="statistic")
    with pytest.raises(RequestError, match="fit the model to a wsframework"):
        wsf.Regressor(features=PROBE, network=MLP).fit(seen.weights, seen.loss)
    with pytest.raises(RequestError, match="known by their weight space alone"):
        wsf.Regressor(features=PROBE).fit(seen, seen.loss)
    with pytest.raises(SpaceError, match="not what network = 'mlp' builds"):
        wsf.Regressor(features=PROBE, network={**MLP, "widths": [5]}).fit(seen, seen.loss)
    other = wsf.Weights(mlp_space((1, 2, 1)), torch.zeros(4, 7))
    with pytest.raises(SpaceError, match="of one space"):
        wsf.Regressor(features="statistics").fit([seen, other], torch.zeros(8))
