"""A zoo and a prior from Python: the same numbers as in a run, and mistakes as sentences."""

from __future__ import annotations

import pytest
import torch

import wsframework as wsf
from wsframework.errors import ConfigError, PartError, RequestError, SpaceError
from wsframework.tasks import TaskSplits

NETWORK = {"use": "mlp", "widths": [4]}
DENOISER = {"use": "deepsets", "width": 8, "blocks": 1}


def splits(seen: int = 6) -> TaskSplits:
    family = wsf.load_registry().get("task_family", "gaussians")(points=24, query=16)  # type: ignore[call-arg]
    return family.draw(seen, 0, 2, torch.Generator().manual_seed(0))  # type: ignore[attr-defined, no-any-return]


def prior_of(zoo: wsf.Zoo, **changes: object) -> wsf.Prior:
    return wsf.fit_prior(zoo, **{"network": NETWORK, "denoiser": DENOISER, "steps": 3, **changes})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def zoo() -> wsf.Zoo:
    return wsf.train_zoo(NETWORK, splits().seen, epochs=1)


def test_networks_take_the_tasks_in_turn() -> None:
    tasks = splits(4).seen
    zoo = wsf.train_zoo(NETWORK, tasks, size=10, epochs=1)
    assert len(zoo) == 10
    assert zoo.task_index.tolist() == [i % 4 for i in range(10)]


def test_training_lowers_the_loss() -> None:
    short, long = (wsf.train_zoo(NETWORK, splits().seen, epochs=epochs) for epochs in (1, 40))
    assert long.loss.mean() < short.loss.mean()


def test_the_seed_decides_every_number() -> None:
    tasks = splits().seen
    a, b, c = (wsf.train_zoo(NETWORK, tasks, epochs=1, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(a.weights.x, b.weights.x)
    assert not torch.equal(a.weights.x, c.weights.x)
    x, y, z = (p.denoiser.state_dict() for p in (prior_of(a, seed=1), prior_of(a, seed=1), prior_of(a, seed=2)))
    assert all(torch.equal(x[name], y[name]) for name in x)
    assert not all(torch.equal(x[name], z[name]) for name in x)


def test_a_prior_samples_networks_that_load(zoo: wsf.Zoo) -> None:
    prior, (task, _) = prior_of(zoo), splits().held_out
    states = prior.sample(task, n=3)
    network = prior.architecture.network(task.shape)
    for state in states:
        network.load_state_dict(state, strict=True)
    assert network(task.query.x).shape == (16, 2)


def test_the_global_random_state_is_left_alone(zoo: wsf.Zoo) -> None:
    before = torch.get_rng_state()
    prior_of(zoo)
    wsf.train_zoo(NETWORK, splits().seen, epochs=1)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"network": "mlp"}, SpaceError, "the zoo's networks are not what network = 'mlp' builds"),
        ({"denoiser": "depsets"}, PartError, "did you mean 'deepsets'"),
        ({"denoiser": {"width": 8}}, PartError, "a table with 'use'"),
        ({"predict": "noise"}, ConfigError, "one of 'epsilon', 'v', 'clean'"),
        ({"lr": 0.0}, ConfigError, "larger than 0"),
        ({"bacth": 8}, ConfigError, "did you mean 'batch'"),
    ],
)
def test_each_mistake_is_a_sentence(
    zoo: wsf.Zoo, changes: dict[str, object], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        prior_of(zoo, **changes)


def test_a_zoo_needs_tasks_and_whole_numbers() -> None:
    with pytest.raises(RequestError, match="at least one task"):
        wsf.train_zoo(NETWORK, [])
    with pytest.raises(ConfigError, match="a whole number of at least 1"):
        wsf.train_zoo(NETWORK, splits().seen, epochs=0)
