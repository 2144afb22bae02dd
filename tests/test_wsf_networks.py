"""Architectures beside `mlp`: their spaces are what a tracer finds, their initialisation has the modules' distribution.

That batched forms compute what modules do, and that symmetries hold, is tried by the suite of promises.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from tiny import REGISTRY
from torch import Tensor
from wsf_networks.batch_norm import KEPT

import wsframework as wsf
from wsframework.errors import SpaceError
from wsframework.parts.interfaces import Architecture
from wsframework.spaces import WeightSpace
from wsframework.spaces.order import log10_permutations, log10_signs, scales
from wsframework.tasks import TaskShape

IMAGE = TaskShape((1, 8, 8), (3,))
CASES: dict[str, tuple[str, TaskShape, dict[str, Any]]] = {
    "siren": ("siren", TaskShape((2,), (3,)), {"widths": (5, 4)}),
    "cnn": ("cnn", IMAGE, {"channels": (4, 3)}),
    "cnn, normalised": ("cnn", IMAGE, {"channels": (4, 3), "norm": "batch", "readout": "flatten"}),
    "cnn of tanh": ("cnn", IMAGE, {"channels": (5,), "activation": "tanh", "pooling": "max", "stride": 1}),
    "cnn of averages": ("cnn", IMAGE, {"channels": (5,), "activation": "tanh", "pooling": "average", "norm": "batch"}),
    "resnet": ("resnet", TaskShape((3, 5, 6), (2,)), {"channels": (4, 3), "blocks": 2}),
    "gru": ("gru", TaskShape((4, 3), (2,)), {"width": 5}),
    "gru of tokens": ("gru", TaskShape((4,), (4, 3)), {"width": 4, "depth": 2, "vocabulary": 3}),
    "rnn": ("rnn", TaskShape((4, 3), (4, 2)), {"width": 5, "depth": 2}),
    "resnet of one stage": ("resnet", IMAGE, {"channels": (4,)}),
}
SHORTCUT = {f"block.{name}" for name in ("shortcut.weight", *(f"shortcut_norm.{kind}" for kind in KEPT))}
"""A network of one stage has none."""
by_case = pytest.mark.parametrize("case", CASES)


def made(case: str) -> tuple[Architecture, TaskShape]:
    name, shape, options = CASES[case]
    part: Any = REGISTRY.get("architecture", name)
    return part(**options), shape


def random(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def chains(space: WeightSpace) -> list[tuple[tuple[int, ...], str | None]]:
    """The free dims, each as its size and those of the dims that it is within, with its gauge."""
    found = []
    for dim in space.dims:
        sizes, at = [dim.size], dim.within
        while at is not None:
            sizes.append(space.dim(at).size)
            at = space.dim(at).within
        found += [(tuple(sizes), dim.gauge)] if dim.free else []
    return sorted(found, key=str)


def orders(space: WeightSpace) -> tuple[float, float, int]:
    return log10_permutations(space), log10_signs(space), scales(space)


@pytest.mark.slow
@by_case
def test_the_space_is_what_a_tracer_finds(case: str) -> None:
    architecture, shape = made(case)
    stated = architecture.space(shape)
    torch.manual_seed(0)
    found = wsf.trace(architecture.network(shape).eval(), torch.randn(2, *shape.inputs))
    assert found.shapes == stated.shapes
    assert chains(found) == chains(stated)
    assert orders(found) == pytest.approx(orders(stated))


@by_case
def test_it_begins_like_its_modules(case: str) -> None:
    """Each parameter's mean and deviation over 400 networks, and the extent of what is bounded."""
    architecture, shape = made(case)
    space = architecture.space(shape)
    torch.manual_seed(0)
    modules = torch.stack([space.flatten(architecture.network(shape).state_dict()) for _ in range(400)])
    for name, drawn in space.unflatten(architecture.initialize(shape, 400, random(1))).items():
        one, two = drawn.flatten(), space.unflatten(modules)[name].flatten()
        if two.std() == 0:
            assert torch.equal(one, two), name
            continue
        error = 6 * two.std().item() / len(two) ** 0.5
        assert one.mean().item() == pytest.approx(two.mean().item(), abs=2 * error), name
        assert one.std().item() == pytest.approx(two.std().item(), abs=error), name
        assert one.abs().max().item() == pytest.approx(two.abs().max().item(), rel=0.3), name


@by_case
def test_trained_networks_learn_as_modules_do(case: str) -> None:
    """The gradient of each network's weights in a batch is that of its module in training."""
    architecture, shape = made(case)
    space, inputs = architecture.space(shape), torch.randn(2, 6, *shape.inputs, generator=random(2)).double()
    x = architecture.initialize(shape, 2, random(3)).double().requires_grad_()
    outputs = architecture.apply_training(shape, space.unflatten(x), inputs)
    signs = torch.randn(outputs.shape, generator=random(4)).double()
    (gradient,) = torch.autograd.grad((outputs * signs).sum(), x)
    for i in range(2):
        module = architecture.network(shape).double()
        module.load_state_dict(space.unflatten(x[i].detach()), strict=True)
        (module(inputs[i]) * signs[i]).sum().backward()
        wanted = {n: p.grad for n, p in module.named_parameters()}
        for name, found in space.unflatten(gradient[i]).items():
            torch.testing.assert_close(found, _or_zero(wanted.get(name), found), rtol=1e-8, atol=1e-10)


def _or_zero(gradient: Tensor | None, like: Tensor) -> Tensor:
    return torch.zeros_like(like) if gradient is None else gradient


@by_case
def test_other_sizes_have_the_same_roles(case: str) -> None:
    """What is learned of one network, kept by role, serves another that is deeper and wider."""
    name, shape, options = CASES[case]
    architecture, _ = made(case)
    sizes = {key: value for key, value in options.items() if isinstance(value, tuple)}
    part: Any = REGISTRY.get("architecture", name)
    deeper = part(**options | {key: (6, *value) for key, value in sizes.items()})
    roles = {p.role for p in architecture.space(shape).parameters}
    added = {p.role for p in deeper.space(shape).parameters} - roles
    assert added <= {"hidden.weight", "hidden.bias", *SHORTCUT}


@pytest.mark.parametrize("name", ["cnn", "resnet"])
def test_what_is_no_image_is_declined(name: str) -> None:
    part: Any = REGISTRY.get("architecture", name)
    with pytest.raises(SpaceError, match=f"'{name}' reads images"):
        part().space(TaskShape((5,), (2,)))
    with pytest.raises(SpaceError, match="outputs of one axis"):
        part().space(TaskShape((1, 8, 8), (2, 2)))


def test_nothing_left_of_an_image_is_a_sentence() -> None:
    part: Any = REGISTRY.get("architecture", "cnn")
    with pytest.raises(SpaceError, match="leaves nothing of"):
        part(channels=(4, 4, 4), pooling="max").space(IMAGE)
