"""Initializers that need no prior: each does what its name says, and says where it can't."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from torch import Tensor
from wsf_initializers.analytic import Analytic
from wsf_initializers.descriptor import Nearest, Ridge
from wsf_initializers.pretrained import Pretrained, output_index
from wsf_initializers.reptile import Reptile
from wsf_initializers.undescribed import Mean, Member, Random
from wsf_networks.mlp import Mlp
from wsf_tasks.gaussians import Gaussians

from wsframework.errors import NotApplicable
from wsframework.parts.interfaces import Architecture, Initializer, Setting, TaskFamily
from wsframework.spaces import Weights, WeightSpace
from wsframework.tasks import OBJECTIVES, Data, Task, TaskBatch, TaskShape
from wsframework.training import Budget, support_losses, train_networks
from wsframework.zoo import Zoo

FAMILY = Gaussians(points=40, query=4)
BUILDERS: list[Callable[[], Initializer]] = [
    Random,
    Member,
    Mean,
    Nearest,
    Ridge,
    Analytic,
    lambda: Pretrained(steps=3),
    lambda: Reptile(steps=3, inner=2, batch=4),
]


def source(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def class_means(tasks: Sequence[Task]) -> Tensor:
    """A descriptor of its own, so that these tests need no conditioner: (tasks, 4)."""
    rows = [torch.cat([t.support.x[t.support.y == k].mean(0) for k in range(2)]) for t in tasks]
    return torch.stack(rows) / 4 if rows else torch.empty(0, 4)


def make_setting(
    networks: int = 12,
    tasks: int = 8,
    seed: int = 0,
    architecture: Architecture | None = None,
    x: Tensor | None = None,
    family: TaskFamily = FAMILY,
) -> Setting:
    architecture = architecture or Mlp(widths=(6,))
    drawn = family.draw(tasks, 0, 0, source(seed)).seen
    space = architecture.space(family.shape)
    task_index = torch.randint(tasks, (networks,), generator=source(seed + 1))
    x = torch.randn(networks, space.size, generator=source(seed + 2)) if x is None else x
    return Setting(
        zoo=Zoo(Weights(space, x), task_index, drawn, torch.zeros(networks)),
        architecture=architecture,
        shape=family.shape,
        features=class_means(drawn),
        describe=class_means,
        prior=None,
        train_prior=lambda changes, design: pytest.fail("these initializers train no prior"),
        generator=source(seed + 3),
    )


def unseen(count: int = 5, seed: int = 99, family: TaskFamily = FAMILY) -> Sequence[Task]:
    return family.draw(0, 0, count, source(seed)).held_out


@pytest.mark.parametrize("build", BUILDERS)
def test_weights_have_a_row_for_each_task_and_draw(build: Callable[[], Initializer]) -> None:
    setting = make_setting()
    part = build()
    part.fit(setting)
    tasks = unseen()
    x = part.weights(tasks, 3, source())
    assert x.shape == (5, 3, setting.zoo.weights.space.size)
    assert x.dtype == torch.float32
    assert x.isfinite().all()
    assert not x.requires_grad


@pytest.mark.parametrize("build", BUILDERS)
def test_equal_generators_give_equal_weights(build: Callable[[], Initializer]) -> None:
    answers = []
    for _ in range(2):
        part = build()
        part.fit(make_setting())
        answers.append(part.weights(unseen(), 2, source(4)))
    assert torch.equal(*answers)


@pytest.mark.parametrize("build", [Random, Member, Analytic])
def test_draws_of_random_initializers_differ(build: Callable[[], Initializer]) -> None:
    part = build()
    part.fit(make_setting(networks=50))
    first, second = part.weights(unseen(), 8, source(1)), part.weights(unseen(), 8, source(2))
    assert not torch.equal(first, second)
    assert len(first[0].unique(dim=0)) > 1


@pytest.mark.parametrize(
    "build", [Mean, Nearest, Ridge, lambda: Pretrained(steps=3), lambda: Reptile(steps=3, inner=2)]
)
def test_deterministic_initializers_repeat_their_answer(build: Callable[[], Initializer]) -> None:
    part = build()
    part.fit(make_setting())
    x = part.weights(unseen(), 4, source(1))
    assert torch.equal(x, part.weights(unseen(), 4, source(2)))
    assert torch.equal(x, x[:, :1].expand_as(x))


@pytest.mark.parametrize("build", BUILDERS)
def test_fitting_and_answering_leave_the_zoo_alone(build: Callable[[], Initializer]) -> None:
    setting = make_setting()
    before = setting.zoo.weights.x.clone()
    part = build()
    part.fit(setting)
    part.weights(unseen(), 2, source())
    assert torch.equal(setting.zoo.weights.x, before)


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 10**6), networks=st.integers(1, 20))
def test_member_returns_networks_of_the_zoo_and_mean_their_mean(seed: int, networks: int) -> None:
    setting = make_setting(networks, seed=seed)
    zoo = setting.zoo.weights.x
    member, mean = Member(), Mean()
    member.fit(setting)
    mean.fit(setting)
    drawn = member.weights(unseen(), 3, source(seed)).flatten(0, 1)
    assert all((zoo == row).all(1).any() for row in drawn)
    torch.testing.assert_close(mean.weights(unseen(1), 1, source())[0, 0], zoo.mean(0))


def test_member_reaches_the_whole_zoo() -> None:
    setting = make_setting(networks=5)
    part = Member()
    part.fit(setting)
    drawn = part.weights(unseen(), 40, source()).flatten(0, 1)
    assert len(drawn.unique(dim=0)) == 5


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 10**6))
def test_nearest_to_a_seen_task_is_a_network_of_that_task(seed: int) -> None:
    setting = make_setting(seed=seed)
    part = Nearest()
    part.fit(setting)
    owned = sorted(set(setting.zoo.task_index.tolist()))
    found = part.weights([setting.zoo.tasks[i] for i in owned], 1, source())[:, 0]
    for task, row in zip(owned, found, strict=True):
        mine = setting.zoo.weights.x[setting.zoo.task_index == task]
        assert (mine == row).all(1).any()


def test_nearest_is_not_beaten_by_another_network() -> None:
    setting = make_setting(networks=30, tasks=30)
    part = Nearest()
    part.fit(setting)
    tasks = unseen(10)
    found = part.weights(tasks, 1, source())[:, 0]
    for task, row in zip(tasks, found, strict=True):
        distances = (class_means([task]) - setting.features[setting.zoo.task_index]).norm(dim=1)
        chosen = (setting.zoo.weights.x == row).all(1).nonzero()[0, 0]
        assert distances[chosen] <= distances.min() + 1e-5


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 10**6))
def test_ridge_recovers_a_linear_map(seed: int) -> None:
    setting = make_setting(networks=60, tasks=40, seed=seed)
    size = setting.zoo.weights.space.size
    slope, constant = torch.randn(4, size, generator=source(seed)), torch.randn(size, generator=source(seed + 1))
    x = setting.features[setting.zoo.task_index] @ slope + constant
    part = Ridge(alpha=1e-6)
    part.fit(make_setting(networks=60, tasks=40, seed=seed, x=x))
    expected = class_means(unseen()) @ slope + constant
    torch.testing.assert_close(part.weights(unseen(), 1, source())[:, 0], expected, rtol=1e-3, atol=1e-3)


def test_ridge_shrinks_to_the_mean() -> None:
    setting = make_setting()
    distances = []
    for alpha in (0.1, 10.0, 1e9):
        part = Ridge(alpha=alpha)
        part.fit(setting)
        distances.append((part.weights(unseen(), 1, source()) - setting.zoo.weights.x.mean(0)).norm())
    assert distances[0] > distances[1] > distances[2]
    assert distances[2] < 1e-3


@pytest.mark.parametrize(
    ("activation", "widths"), [("relu", (2,)), ("relu", (8,)), ("relu", (5, 7, 4)), ("gelu", (6,))]
)
def test_analytic_is_linear_discriminant_analysis(activation: str, widths: tuple[int, ...]) -> None:
    family = Gaussians(points=60, query=20, separation=1.0, imbalance=0.5)
    tasks = family.draw(0, 0, 6, source(7)).held_out
    architecture = Mlp(widths=widths, activation=activation)  # type: ignore[arg-type]
    part = Analytic()
    part.fit(make_setting(architecture=architecture))
    space = architecture.space(family.shape)
    for task, x in zip(tasks, part.weights(tasks, 2, source()), strict=True):
        inputs = task.query.x.expand(2, -1, -1)
        outputs = architecture.apply(family.shape, space.unflatten(x), inputs)
        oracle = LinearDiscriminantAnalysis(solver="lsqr").fit(task.support.x.numpy(), task.support.y.numpy())
        expected = torch.as_tensor(oracle.decision_function(task.query.x.numpy())).float()
        for margin in outputs[..., 1] - outputs[..., 0]:
            torch.testing.assert_close(margin, expected, rtol=1e-3, atol=1e-3)


def test_neurons_that_analytic_leaves_over_can_be_trained() -> None:
    """The gradient of the loss reaches the outgoing weights of every neuron that is active somewhere."""
    setting = make_setting(architecture=Mlp(widths=(16,)))
    part = Analytic()
    part.fit(setting)
    task = Gaussians(points=100, query=4, separation=1.0).draw(0, 0, 1, source(3)).held_out[0]
    x = part.weights([task], 1, source())[0].requires_grad_()
    space = setting.zoo.weights.space
    parameters = space.unflatten(x)
    outputs = setting.architecture.apply(setting.shape, parameters, task.support.x[None])
    (gradient,) = torch.autograd.grad(task.objective.losses(outputs, task.support.y[None]).mean(), x)
    active = (task.support.x @ parameters["layers.0.weight"][0].T + parameters["layers.0.bias"][0] > 0).any(0)
    assert active.sum() > 8
    assert (space.unflatten(gradient)["layers.1.weight"][0].abs().amax(0)[active] > 0).all()


def test_analytic_copes_with_few_examples() -> None:
    """One example a class, or one class only: finite weights, and the class that is known is preferred."""
    setting = make_setting()
    part = Analytic()
    part.fit(setting)
    space, task = setting.zoo.weights.space, unseen(1)[0]
    for y in ([0, 1], [1, 1], [0]):
        x = torch.tensor([[0.0, 1.0], [2.0, -1.0]])[: len(y)]
        few = replace(task, support=Data(x, torch.tensor(y)))
        answer = part.weights([few], 1, source())[0]
        outputs = setting.architecture.apply(setting.shape, space.unflatten(answer), x[None])[0]
        assert outputs.isfinite().all()
        assert outputs.argmax(-1).tolist() == y


def test_pretrained_learns_the_seen_tasks_and_answers_for_others() -> None:
    setting = make_setting(tasks=200, architecture=Mlp(widths=(16,)))
    losses = []
    for steps in (1, 400):
        part = Pretrained(steps=steps, lr=0.01)
        part.fit(setting)
        tasks = unseen(30)
        x = part.weights(tasks, 1, source())[:, 0]
        inputs, labels = torch.stack([t.support.x for t in tasks]), torch.stack([t.support.y for t in tasks])
        outputs = setting.architecture.apply(setting.shape, setting.zoo.weights.space.unflatten(x), inputs)
        losses.append(float(OBJECTIVES["classification"].losses(outputs, labels).mean()))
    assert losses[1] < losses[0] / 2


def test_pretrained_changes_the_last_layer_alone_from_task_to_task() -> None:
    setting = make_setting()
    part = Pretrained(steps=20)
    part.fit(setting)
    x = part.weights(unseen(4), 1, source())[:, 0]
    varies = (x != x[0]).any(0).nonzero()[:, 0]
    assert len(varies) > 0
    assert set(varies.tolist()) <= set(output_index(setting.zoo.weights.space).tolist())


def after_training(setting: Setting, x: Tensor, tasks: Sequence[Task]) -> float:
    """Mean support loss over ``tasks`` of the networks that five gradient steps make of ``x`` (tasks, size)."""
    batch = TaskBatch.of(tasks)
    *_, last = train_networks(setting.architecture, setting.shape, x, batch, Budget(5, 0.01, 40), source(8))
    return float(support_losses(setting.architecture, setting.shape, last.x, batch).mean())


def test_from_reptile_few_steps_go_farther_than_from_its_own_start() -> None:
    """On rings never seen. Its start is the network that the setting's generator gives first."""
    rings = Gaussians(arrangement="rings", points=40, query=4)
    setting = make_setting(tasks=50, architecture=Mlp(widths=(16,)), family=rings)
    tasks = unseen(30, family=rings)
    random = setting.architecture.initialize(setting.shape, 1, source(3)).expand(30, -1)
    part = Reptile(steps=60, inner=5, batch=8)
    part.fit(setting)
    learned = part.weights(tasks, 1, source())[:, 0]
    assert after_training(setting, learned, tasks) < after_training(setting, random, tasks) / 2


def test_reptile_goes_to_the_mean_of_the_networks_that_it_trains() -> None:
    """One step at the full rate: the mean over tasks of networks trained from the start, and half of it at half."""
    start, half, whole = (_moved(rate) for rate in (1e-12, 0.5, 1.0))
    torch.testing.assert_close(half, (start + whole) / 2)
    setting = make_setting(tasks=1)
    x = setting.architecture.initialize(setting.shape, 1, source(3))
    torch.testing.assert_close(start, x[0])
    *_, last = train_networks(
        setting.architecture, setting.shape, x, TaskBatch.of(setting.zoo.tasks), Budget(3, 0.01, 40), source()
    )
    torch.testing.assert_close(whole, last.x[0], rtol=1e-3, atol=1e-4)


def _moved(rate: float) -> Tensor:
    """Where one step goes that sees all examples of a single task."""
    part = Reptile(steps=1, inner=3, rate=rate, points=40, batch=2)
    part.fit(make_setting(tasks=1))
    return part.weights(unseen(1), 1, source())[0, 0]


@pytest.mark.parametrize("build", [Nearest, Ridge])
def test_without_descriptor_there_is_no_answer(build: Callable[[], Initializer]) -> None:
    setting = replace(make_setting(), features=torch.empty(8, 0), describe=lambda tasks: torch.empty(len(tasks), 0))
    with pytest.raises(NotApplicable, match="conditioner gives none"):
        build().fit(setting)
    Pretrained(steps=2).fit(setting)


class Nameless(Mlp):
    """A perceptron whose parameters have no roles but their names."""

    def space(self, shape: TaskShape) -> WeightSpace:
        found = super().space(shape)
        return WeightSpace(found.dims, tuple(replace(p, role=p.name) for p in found.parameters))


class Doubled(Mlp):
    """A network of the same shapes that is no perceptron."""

    def apply(self, shape: TaskShape, parameters: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
        return 2 * super().apply(shape, parameters, inputs)


@pytest.mark.parametrize(
    ("architecture", "sentence"),
    [
        (Mlp(widths=()), "has no hidden layer"),
        (Mlp(widths=(1,)), "has a hidden layer of 1"),
        (Mlp(widths=(4,), bias=False), "is no chain of matrices with biases"),
        (Mlp(widths=(4,), activation="tanh"), "has an activation without"),
        (Mlp(widths=(4, 4), activation="gelu"), "has an activation without"),
        (Doubled(widths=(4,)), "has an activation without"),
    ],
)
def test_analytic_says_which_networks_it_does_not_fit(architecture: Architecture, sentence: str) -> None:
    with pytest.raises(NotApplicable, match=sentence):
        Analytic().fit(make_setting(architecture=architecture))


def test_analytic_needs_two_classes() -> None:
    setting = make_setting()
    for shape in (TaskShape((2,), (3,)), TaskShape((2,), (1,))):
        with pytest.raises(NotApplicable, match="two classes"):
            Analytic().fit(replace(setting, shape=shape))
    task = setting.zoo.tasks[0]
    real = replace(task, support=Data(task.support.x, torch.randn(40, 2)), objective=OBJECTIVES["regression"])
    with pytest.raises(NotApplicable, match="two classes"):
        Analytic().fit(replace(setting, zoo=replace(setting.zoo, tasks=[real])))


def test_pretrained_needs_a_layer_called_output() -> None:
    with pytest.raises(NotApplicable, match=r"role such as 'output\.weight'"):
        Pretrained(steps=1).fit(make_setting(architecture=Nameless(widths=(4,))))
