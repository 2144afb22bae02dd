"""The batched trainer against one network at a time: the same steps, no traffic between rows, exact repetition."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from wsf_networks.mlp import Mlp

from wsframework.tasks import Classification, Data, Objective, Regression, TaskBatch, TaskShape
from wsframework.training import Budget, Moment, network_losses, network_scores, train_networks

SHAPE = TaskShape((2,), (3,))
SEEDS = st.integers(0, 2**40)


@dataclass(frozen=True)
class Recorder(Classification):
    """Cross-entropy that keeps the labels it is given."""

    seen: list[Tensor] = field(default_factory=list)

    def losses(self, outputs: Tensor, y: Tensor) -> Tensor:
        self.seen.append(y.clone())
        return super().losses(outputs, y)


class RecordingMlp(Mlp):
    """A perceptron that keeps the inputs it is given."""

    def __init__(self, *, widths: tuple[int, ...] = (5,), activation: str = "relu") -> None:
        super().__init__(widths=widths, activation=activation)  # type: ignore[arg-type]
        self.seen: list[Tensor] = []

    def apply(self, shape, parameters, inputs):
        self.seen.append(inputs.clone())
        return super().apply(shape, parameters, inputs)


def random(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def batch_of(networks: int, points: int, objective: Objective, seed: int = 0) -> TaskBatch:
    g = random(seed)

    def data() -> Data:
        x = torch.randn(networks, points, 2, generator=g, dtype=torch.float64)
        return Data(x, torch.randint(3, (networks, points), generator=g))

    return TaskBatch(data(), data(), objective)


def start(mlp: Mlp, networks: int, seed: int = 1) -> Tensor:
    return mlp.initialize(SHAPE, networks, random(seed)).double()


def train(mlp: Mlp, x: Tensor, tasks: TaskBatch, budget: Budget, seed: int = 2) -> list[Moment]:
    moments = train_networks(mlp, SHAPE, x, tasks, budget, random(seed))
    return [Moment(m.step, m.epoch_ends, m.x.clone(), m.losses.clone()) for m in moments]


def train_alone(network: nn.Module, minibatches: list[tuple[Tensor, Tensor]], lr: float) -> list[float]:
    """The plain loop; the loss before each step."""
    optimizer = torch.optim.Adam(network.parameters(), lr=lr)
    losses = []
    for x, y in minibatches:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(network(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@settings(max_examples=15)
@given(
    networks=st.integers(1, 4),
    points=st.integers(3, 20),
    batch=st.integers(1, 12),
    widths=st.lists(st.integers(1, 6), min_size=1, max_size=3),
    activation=st.sampled_from(["relu", "tanh", "gelu", "silu"]),
    seed=SEEDS,
)
def test_each_network_trains_as_it_would_alone(networks, points, batch, widths, activation, seed):
    mlp, objective = RecordingMlp(widths=tuple(widths), activation=activation), Recorder()
    tasks, x = batch_of(networks, points, objective, seed), start(mlp, networks, seed)
    moments = train(mlp, x, tasks, Budget.of_epochs(2, 0.05, batch, points), seed)
    for i in range(networks):
        network = mlp.network(SHAPE).double()
        network.load_state_dict(mlp.space(SHAPE).unflatten(x[i]))
        minibatches = [(inputs[i], y[i]) for inputs, y in zip(mlp.seen, objective.seen, strict=True)]
        losses = train_alone(network, minibatches, lr=0.05)
        assert [m.losses[i].item() for m in moments] == pytest.approx(losses, rel=1e-7)
        alone = mlp.space(SHAPE).flatten(dict(network.state_dict()))
        assert torch.allclose(moments[-1].x[i], alone, rtol=1e-6, atol=1e-8)


@settings(max_examples=25)
@given(networks=st.integers(1, 4), points=st.integers(1, 70), batch=st.integers(1, 80), shared=st.booleans())
def test_every_epoch_uses_each_example_once(networks, points, batch, shared):
    mlp, objective = RecordingMlp(), Recorder()
    tasks = batch_of(networks, points, objective)
    if shared:
        inputs = tasks.support.x[0].expand(networks, points, 2)
        tasks = TaskBatch(Data(inputs, tasks.support.y), tasks.query, objective)
    budget = Budget.of_epochs(3, 0.01, batch, points)
    train(mlp, start(mlp, networks), tasks, budget)
    per_epoch = math.ceil(points / batch)
    for epoch in range(3):
        used = slice(epoch * per_epoch, (epoch + 1) * per_epoch)
        x, y = torch.cat(mlp.seen[used], 1), torch.cat(objective.seen[used], 1)
        for i in range(networks):
            examples = torch.cat([x[i], y[i].unsqueeze(-1)], -1).tolist()
            own = torch.cat([tasks.support.x[i], tasks.support.y[i].unsqueeze(-1)], -1).tolist()
            assert sorted(examples) == sorted(own)


def test_orders_differ_between_networks_and_epochs_and_are_fair():
    mlp, objective = RecordingMlp(), Recorder()
    networks, points = 400, 5
    tasks = batch_of(1, points, objective)
    tasks = TaskBatch(
        Data(tasks.support.x.expand(networks, -1, -1), tasks.support.y.expand(networks, -1)), tasks.query, objective
    )
    train(mlp, start(mlp, networks), tasks, Budget.of_epochs(2, 0.01, points, points))
    first, second = ((seen.unsqueeze(2) == tasks.support.x.unsqueeze(1)).all(-1).int().argmax(-1) for seen in mlp.seen)
    assert not torch.equal(first, second)
    counts = nn.functional.one_hot(first, points).sum(0)  # how often each example comes at each place: ~ 80 +- 8
    assert ((counts - networks / points).abs() < 5 * math.sqrt(networks / points)).all()
    assert len({tuple(row) for row in first.tolist()}) > 100  # of the 120 orders, 400 draws miss about 4


@settings(max_examples=15)
@given(changed=st.integers(0, 5), seed=SEEDS)
def test_rows_do_not_interact(changed, seed):
    mlp = Mlp(widths=(5,))
    tasks, other = (batch_of(6, 20, Classification(), s) for s in (seed, seed + 1))
    mixed = TaskBatch(_with_row(tasks.support, other.support, changed), tasks.query, tasks.objective)
    budget = Budget.of_epochs(2, 0.05, 8, 20)
    one, two = (train(mlp, start(mlp, 6), batch, budget) for batch in (tasks, mixed))
    others = torch.arange(6) != changed
    for a, b in zip(one, two, strict=True):
        assert torch.equal(a.x[others], b.x[others])
        assert torch.equal(a.losses[others], b.losses[others])
    assert not torch.equal(one[-1].x[changed], two[-1].x[changed])


def _with_row(data: Data, other: Data, row: int) -> Data:
    x, y = data.x.clone(), data.y.clone()
    x[row], y[row] = other.x[row], other.y[row]
    return Data(x, y)


@given(seed=SEEDS)
@settings(max_examples=10)
def test_equal_generators_give_equal_networks_and_others_do_not(seed):
    mlp, tasks, budget = Mlp(widths=(5,)), batch_of(3, 20, Classification()), Budget(10, 0.05, 8)
    one, two, other = (train(mlp, start(mlp, 3), tasks, budget, s)[-1] for s in (seed, seed, seed + 1))
    assert torch.equal(one.x, two.x)
    assert torch.equal(one.losses, two.losses)
    assert not torch.equal(one.x, other.x)


@given(steps=st.integers(0, 30), points=st.integers(1, 40), batch=st.integers(1, 50))
@settings(max_examples=30)
def test_steps_are_counted_and_epochs_marked(steps, points, batch):
    mlp, tasks = Mlp(widths=(2,)), batch_of(2, points, Classification())
    moments = train(mlp, start(mlp, 2), tasks, Budget(steps, 0.01, batch))
    per_epoch = math.ceil(points / batch)
    assert [m.step for m in moments] == list(range(1, steps + 1))
    assert [m.step for m in moments if m.epoch_ends] == list(range(per_epoch, steps + 1, per_epoch))


@settings(max_examples=25)
@given(points=st.integers(1, 70), batch=st.integers(1, 80))
def test_with_drop_last_all_minibatches_are_whole(points, batch):
    mlp, objective = RecordingMlp(), Recorder()
    budget = Budget.of_epochs(2, 0.01, batch, points, drop_last=True)
    train(mlp, start(mlp, 2), batch_of(2, points, objective), budget)
    passes = [mlp.seen[: budget.steps // 2], mlp.seen[budget.steps // 2 :]]
    for minibatches in passes:
        assert {x.shape[1] for x in minibatches} == {min(batch, points)}
        used = torch.cat(minibatches, 1)
        assert used.shape[1] == max(points - points % batch, min(batch, points))
        assert len({tuple(x) for x in used[0].tolist()}) == used.shape[1]  # no example twice in a pass


@given(epochs=st.integers(1, 9), points=st.integers(1, 100), batch=st.integers(1, 120))
def test_a_budget_of_epochs_covers_every_point_that_often(epochs, points, batch):
    budget = Budget.of_epochs(epochs, 0.1, batch, points)
    assert budget.steps % epochs == 0
    assert (budget.steps // epochs - 1) * batch < points <= budget.steps // epochs * batch
    assert (budget.lr, budget.batch) == (0.1, batch)


def test_the_start_is_left_as_it_is_and_a_moment_has_no_graph():
    mlp, tasks = Mlp(widths=(5,)), batch_of(3, 20, Classification())
    x = start(mlp, 3)
    before = x.clone()
    for moment in train_networks(mlp, SHAPE, x, tasks, Budget(5, 0.1, 8), random(0)):
        assert not moment.x.requires_grad
        assert not moment.losses.requires_grad
    assert torch.equal(x, before)
    assert not x.requires_grad
    assert not torch.equal(moment.x, before)


@settings(max_examples=20)
@given(networks=st.integers(1, 3), points=st.integers(1, 9), classes=st.integers(2, 12), seed=SEEDS)
def test_losses_are_the_cross_entropy_of_any_leading_shape(networks, points, classes, seed):
    outputs = 5 * torch.randn(networks, points, classes, generator=random(seed), dtype=torch.float64)
    y = torch.randint(classes, (networks, points), generator=random(seed))
    expected = nn.functional.cross_entropy(outputs.flatten(0, 1), y.flatten(), reduction="none").reshape(y.shape)
    losses = Classification().losses(outputs, y)
    assert torch.allclose(losses, expected, rtol=1e-12)
    assert torch.allclose(Classification().losses(outputs[0], y[0]), losses[0], rtol=1e-12)


def test_losses_of_a_regression_train_too():
    shape, mlp = TaskShape((1,), (1,)), Mlp(widths=(16,), activation="tanh")
    x = torch.linspace(-1, 1, 32).reshape(1, 32, 1).expand(4, 32, 1)
    slopes = torch.tensor([-1.0, 0.0, 1.0, 2.0]).reshape(4, 1, 1)
    tasks = TaskBatch(Data(x, slopes * x), Data(x, slopes * x), Regression())
    *_, last = train_networks(mlp, shape, mlp.initialize(shape, 4, random(0)), tasks, Budget(300, 0.01, 32), random(1))
    loss, score = network_scores(mlp, shape, mlp.space(shape), last.x, tasks.query, tasks.objective)
    assert loss.shape == score.shape == (4,)
    assert (loss < 1e-2).all()
    assert torch.equal(loss, network_losses(mlp, shape, mlp.space(shape), last.x, tasks.query, tasks.objective))
