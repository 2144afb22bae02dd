"""A prior reads back as it was; its clean estimate undoes its target; it refuses parts that don't fit."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny import PAIRS, QUICK, REGISTRY, tiny
from torch import Tensor

from wsframework.config.building import build
from wsframework.config.sections import PartConfig
from wsframework.errors import PartError, StoreError
from wsframework.parts.entrypoints import load_registry
from wsframework.parts.interfaces import TaskConditioner, WeightEncoder
from wsframework.pipeline.in_memory import fit_prior, train_zoo
from wsframework.pipeline.single import Run
from wsframework.prior import Prior
from wsframework.prior_config import Design, Origin
from wsframework.randomness import generator
from wsframework.spaces import WeightSpace
from wsframework.store import load_tensors, save_tensors
from wsframework.tasks import Classification, Task

CONFIG = tiny()
RUN = Run(CONFIG, REGISTRY, Path("nowhere"), "cpu")
TASKS = RUN.splits.seen
PREDICTIONS = ("epsilon", "v", "clean")


def designed(**changes: object) -> Design:
    """The tiny design with parts (by name) or other fields changed."""
    parts = {
        key: PartConfig(value, QUICK.get(str(value), {})) if key in REGISTRY_KINDS else value
        for key, value in changes.items()
    }
    return replace(RUN.design, **parts)


REGISTRY_KINDS = ("encoder", "conditioner", "scheduler", "denoiser")


def made(design: Design) -> Prior:
    """A prior that has seen a zoo, and whose zero initialisations are undone."""
    torch.manual_seed(0)
    prior = Prior(design, RUN.family.shape, REGISTRY)
    prior.encoder.fit(3 + 2 * torch.randn(16, prior.space.size), prior.space)
    prior.fit_features(prior.raw_features(TASKS))
    with torch.no_grad():
        for parameter in prior.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape))
    return prior.eval()


def drawn(prior: Prior) -> Tensor:
    return prior.sample(TASKS[0], 3, generator(1)).x


@pytest.mark.parametrize(("encoder", "denoiser"), PAIRS)
def test_a_saved_prior_draws_the_same(tmp_path: Path, encoder: str, denoiser: str) -> None:
    prior = made(designed(encoder=encoder, denoiser=denoiser))
    prior.save(tmp_path)
    again = Prior.load(tmp_path, REGISTRY)
    assert again.design == prior.design
    assert again.shape == prior.shape
    assert torch.equal(drawn(again), drawn(prior))
    assert torch.equal(again.describe(TASKS), prior.describe(TASKS))
    assert [again.outside(task) for task in RUN.splits.held_out] == [prior.outside(t) for t in RUN.splits.held_out]
    assert not again.training


@pytest.mark.parametrize("part", ["conditioner", "scheduler"])
def test_every_conditioner_and_scheduler_reads_back(tmp_path: Path, part: str) -> None:
    for name in REGISTRY.parts(part):
        if name in ("code", "text"):
            continue  # these tasks have neither
        prior = made(designed(**{part: name}))
        prior.save(tmp_path / name)
        assert torch.equal(drawn(Prior.load(tmp_path / name, REGISTRY)), drawn(prior)), name


def test_draws_depend_on_generator_and_task_alone() -> None:
    prior = made(RUN.design)
    torch.manual_seed(1)
    first = drawn(prior)
    torch.manual_seed(2)
    assert torch.equal(drawn(prior), first)
    assert not torch.equal(prior.sample(TASKS[0], 3, generator(2)).x, first)
    assert not torch.equal(prior.sample(TASKS[1], 3, generator(1)).x, first)
    assert first.shape == (3, prior.space.size)


def test_a_draw_loads_into_a_network() -> None:
    prior = made(RUN.design)
    for state in prior.sample(TASKS[0], 2, generator(0)):
        prior.architecture.network(prior.shape).load_state_dict(state, strict=True)


@pytest.mark.parametrize("damage", ["config.json", "model.safetensors"])
def test_a_damaged_prior_is_told(tmp_path: Path, damage: str) -> None:
    made(RUN.design).save(tmp_path)
    (tmp_path / damage).write_bytes(b"{")
    with pytest.raises(StoreError, match=damage):
        Prior.load(tmp_path, REGISTRY)
    (tmp_path / damage).unlink()
    with pytest.raises(StoreError, match=damage):
        Prior.load(tmp_path, REGISTRY)


@pytest.mark.parametrize("text", ["{}", "[]", '{"design": {"width": 3}, "shape": {}}', '{"design": [], "shape": 3}'])
def test_a_config_of_something_else_is_told(tmp_path: Path, text: str) -> None:
    made(RUN.design).save(tmp_path)
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(StoreError, match=r"config\.json: this is not what this version says of a prior"):
        Prior.load(tmp_path, REGISTRY)


def test_a_prior_of_an_earlier_version_is_told(tmp_path: Path) -> None:
    made(RUN.design).save(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    del config["origin"]
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(StoreError, match="if an earlier one wrote it, train the prior again"):
        Prior.load(tmp_path, REGISTRY)


def test_a_prior_without_its_range_is_told(tmp_path: Path) -> None:
    made(RUN.design).save(tmp_path)
    tensors, _ = load_tensors(tmp_path / "model.safetensors")
    del tensors["feature_max"]
    save_tensors(tmp_path / "model.safetensors", tensors)
    with pytest.raises(StoreError, match=r"model\.safetensors: the tensors do not fit .*feature_max"):
        Prior.load(tmp_path, REGISTRY)


def test_a_trained_prior_says_what_it_comes_from(tmp_path: Path) -> None:
    tasks = RUN.splits.seen[:4]
    zoo = train_zoo({"use": "mlp", "widths": [4]}, tasks, size=6, epochs=1, registry=REGISTRY)
    prior = fit_prior(zoo, network={"use": "mlp", "widths": [4]}, steps=1, registry=REGISTRY)
    prior.save(tmp_path)
    assert Prior.load(tmp_path, REGISTRY).origin == Origin("classification", 6, 4)
    other = [replace(task, objective=replace(Classification(), metric="share")) for task in tasks]
    assert Origin.of(replace(zoo, tasks=other)).objective == ""


def test_what_is_saved_is_the_layout_of_hubs(tmp_path: Path) -> None:
    made(RUN.design).save(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"config.json", "model.safetensors", "README.md"}
    assert json.loads((tmp_path / "config.json").read_text())["design"]["denoiser"]["use"] == "deepsets"


PRIORS = {
    (scheduler, predict): made(designed(scheduler=scheduler, predict=predict))
    for scheduler in REGISTRY.parts("scheduler")
    for predict in PREDICTIONS
    if (scheduler, predict) != ("flow", "epsilon")
}


@pytest.mark.parametrize(("scheduler", "predict"), list(PRIORS))
@given(data=st.data(), seed=st.integers(0, 2**32), scale=st.floats(0.01, 10))
def test_the_clean_estimate_undoes_the_target(
    scheduler: str, predict: str, data: st.DataObject, seed: int, scale: float
) -> None:
    prior = PRIORS[scheduler, predict]
    grid = prior.scheduler.times()[:-1].tolist()
    t = torch.tensor(data.draw(st.lists(st.sampled_from(grid), min_size=3, max_size=3)))
    random = torch.Generator().manual_seed(seed)
    x_0, noise = (torch.randn(3, prior.latent.size, generator=random) for _ in range(2))
    x_0 = scale * x_0
    x_t = prior.mix(x_0, noise, t)
    alpha_t, _ = prior.scheduler.alpha_sigma(t)
    found = prior.clean(prior.target(x_0, noise, t), x_t, t)
    error = (found - x_0).abs().amax(1)
    size = x_0.abs().amax(1) + noise.abs().amax(1)
    lost = 1 / alpha_t if predict == "epsilon" else torch.ones(3)  # near t = 1, hardly any of x_0 is left in x_t
    assert (error <= 1e-5 * size * lost).all(), (error, size, lost)


def test_noise_is_not_predicted_where_there_is_nothing_else() -> None:
    with pytest.raises(PartError, match=r"'epsilon' tells nothing of x_0 at time 1, .* 'flow' .* predict 'v' or"):
        made(designed(scheduler="flow", predict="epsilon"))


def through(scheduler: str, **options: object) -> PartConfig:
    return PartConfig(scheduler, options)


def test_a_prior_is_sampled_by_any_scheduler_of_its_noise(tmp_path: Path) -> None:
    """The options of the noise are those of training; the prior stays as it is, and files say who samples."""
    prior = made(replace(RUN.design, scheduler=through("ddpm", steps=10, schedule="linear")))
    before = drawn(prior)
    quick = prior.with_scheduler("dpm_solver", steps=4, registry=REGISTRY)
    assert quick.design.sampler == through("dpm_solver", steps=10, schedule="linear")
    assert len(quick.sampler.times(quick.design.steps)) == 5
    assert not torch.equal(drawn(quick), before)
    assert torch.equal(drawn(prior), before)
    quick.save(tmp_path)
    again = Prior.load(tmp_path, REGISTRY)
    assert again.design == quick.design
    assert torch.equal(drawn(again), drawn(quick))
    implicit = prior.with_scheduler({"use": "ddim", "eta": 1.0}, registry=REGISTRY)  # which is what ddpm does
    assert torch.equal(drawn(implicit), before)


@pytest.mark.parametrize("other", ["edm", "flow", {"use": "ddim", "steps": 20}, {"use": "ddim", "schedule": "linear"}])
def test_another_noise_is_refused(other: str | dict[str, object]) -> None:
    prior = made(replace(RUN.design, scheduler=through("ddpm", steps=10)))
    with pytest.raises(PartError, match="can't sample for this prior, which is trained on the noise of 'ddpm': at"):
        prior.with_scheduler(other, registry=REGISTRY)


@pytest.mark.parametrize("predict", PREDICTIONS)
def test_the_estimate_is_the_clean_one_of_what_the_denoiser_says(predict: str) -> None:
    prior = PRIORS["ddpm", predict]
    x_t, t = torch.randn(2, prior.latent.size), torch.tensor(0.5)
    embedding = prior.conditioner(prior.describe(TASKS[:2]))
    output = prior.denoiser(x_t, t.expand(2), embedding, prior.latent)
    assert torch.equal(prior.estimate(x_t, t, embedding), prior.clean(output, x_t, t.expand(2)))


def test_descriptors_of_the_seen_tasks_are_standardised() -> None:
    prior = made(RUN.design)
    features = prior.describe(TASKS)
    spread = prior.raw_features(TASKS).std(0, correction=0)
    assert features.shape[0] == len(TASKS)
    torch.testing.assert_close(features.mean(0), torch.zeros_like(spread), atol=1e-5, rtol=0)
    varying = spread > 1e-6
    assert varying.any()
    torch.testing.assert_close(features.std(0, correction=0)[varying], torch.ones_like(spread[varying]))
    other = RUN.splits.held_out
    raw = prior.raw_features(other)
    torch.testing.assert_close(prior.describe(other), (raw - prior.feature_mean) / prior.feature_std)


class Constant(TaskConditioner):
    """Says one varying thing of a task, and one that is the same of all."""

    name = "constant"
    size = 2

    def __init__(self, shape: object) -> None:
        super().__init__()

    def describe(self, task: Task) -> Tensor:
        return torch.stack([task.support.x.mean(), torch.tensor(7.0)])

    def forward(self, features: Tensor) -> Tensor:
        return features


class Flattened(WeightEncoder):
    """Keeps the numbers, forgets what they are of."""

    name = "flattened"

    def __init__(self, space: WeightSpace) -> None:
        super().__init__()

    def fit(self, x: Tensor, space: WeightSpace) -> None:
        pass

    def encode(self, x: Tensor, space: WeightSpace) -> Tensor:
        return x

    def decode(self, z: Tensor, space: WeightSpace) -> Tensor:
        return z

    def latent(self, space: WeightSpace) -> WeightSpace:
        return WeightSpace.parse(f"fixed feature={space.size}\nlatent feature")


@pytest.fixture(scope="module")
def strangers():
    registry = load_registry()
    registry.add_all([Constant, Flattened], "strangers")
    return registry


def test_a_constant_feature_becomes_zero(strangers) -> None:
    prior = Prior(designed(conditioner="constant"), RUN.family.shape, strangers)
    prior.fit_features(prior.raw_features(TASKS))
    features = prior.describe(TASKS)
    assert features.isfinite().all()
    assert (features[:, 1] == 0).all()
    assert features[:, 0].std() > 0.5


@pytest.mark.parametrize("denoiser", ["deepsets", "graph"])
def test_an_equivariant_denoiser_needs_something_free(strangers, denoiser: str) -> None:
    with pytest.raises(PartError, match=f"denoiser '{denoiser}' is equivariant, but the latent of encoder 'flattened'"):
        Prior(designed(encoder="flattened", denoiser=denoiser), RUN.family.shape, strangers)


def test_another_denoiser_takes_any_latent(strangers) -> None:
    prior = Prior(designed(encoder="flattened", denoiser="mlp_unet"), RUN.family.shape, strangers)
    assert prior.latent.size == prior.space.size
    assert not prior.latent.free
    prior.fit_features(prior.raw_features(TASKS))
    assert drawn(prior).shape == (3, prior.space.size)


def test_a_wrong_option_is_told() -> None:
    with pytest.raises(PartError, match="no option 'wdith'; did you mean 'width'"):
        build(REGISTRY, "denoiser", PartConfig("deepsets", {"wdith": 3}), RUN.space, 4)
