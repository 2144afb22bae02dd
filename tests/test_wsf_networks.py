"""Architectures beside `mlp`: their spaces are what a tracer finds, their initialisation has the modules' distribution.

That batched forms compute what modules do, and that symmetries hold, is tried by the suite of promises.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from tiny import REGISTRY
from torch import Tensor

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
    "transformer": ("transformer", TaskShape((4, 3), (2,)), {"heads": 3, "head_width": 2, "depth": 1}),
    "transformer of patches": (
        "transformer",
        IMAGE,
        {"head_width": 3, "depth": 1, "feed_forward": 5, "pooling": "class", "activation": "relu"},
    ),
    "language model": (
        "transformer",
        TaskShape((4,), (4, 5)),
        {"head_width": 3, "depth": 2, "causal": True, "vocabulary": 5},
    ),
    "resnet of one stage": ("resnet", IMAGE, {"channels": (4,)}),
}
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
    """Each parameter's mean and deviation over 60 networks, and the extent of what is bounded."""
    architecture, shape = made(case)
    space = architecture.space(shape)
    torch.manual_seed(0)
    modules = torch.stack([space.flatten(architecture.network(shape).state_dict()) for _ in range(60)])
    for name, drawn in space.unflatten(architecture.initialize(shape, 60, random(1))).items():
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
    """What is learned of one network, kept by role, serves a wider one."""
    name, shape, options = CASES[case]
    part: Any = REGISTRY.get("architecture", name)
    wider = {key: 7 for key in ("width", "head_width", "feed_forward") if key in options}
    wider |= {key: tuple(2 * size for size in options[key]) for key in ("widths", "channels") if key in options}
    one, two = (part(**(options | more)).space(shape) for more in ({}, wider))
    assert [(p.name, p.role) for p in one.parameters] == [(p.name, p.role) for p in two.parameters]
    assert one.size != two.size


@pytest.mark.parametrize(
    ("name", "key", "sizes"),
    [
        ("siren", "widths", [(4,) * 3, (5,) * 5]),
        ("cnn", "channels", [(4,) * 2, (5,) * 3]),
        ("resnet", "channels", [(4,) * 2, (5,) * 3]),
        ("resnet", "blocks", [1, 3]),
        ("gru", "depth", [2, 3]),
        ("transformer", "depth", [1, 3]),
    ],
)
def test_a_deeper_network_has_no_new_roles(name: str, key: str, sizes: Any) -> None:
    part: Any = REGISTRY.get("architecture", name)
    shape = TaskShape((4, 3), (2,)) if name in ("gru", "transformer") else TaskShape((1, 16, 16), (2,))
    shallow, deep = (part(**{key: size}).space(shape) for size in sizes)
    assert {p.role for p in shallow.parameters} == {p.role for p in deep.parameters}
    assert len(shallow.parameters) < len(deep.parameters)


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


WRONG = [
    ("gru", {}, TaskShape((5,), (2,)), "token numbers need the option 'vocabulary'"),
    ("gru", {"vocabulary": 4}, TaskShape((5, 2), (2,)), "reads token numbers"),
    ("rnn", {"vocabulary": 4}, TaskShape((1,), (2,)), "inputs here have only one"),
    ("rnn", {}, TaskShape((5, 2), (3, 2)), "once, or at each of the 5 positions"),
    ("transformer", {"patch": 3}, IMAGE, "can't cut images of 8 by 8 into squares of 3"),
    ("transformer", {}, TaskShape((5,), (2,)), "or images"),
]


@pytest.mark.parametrize(("name", "options", "shape", "words"), WRONG)
def test_what_is_no_sequence_is_declined(name: str, options: dict[str, Any], shape: TaskShape, words: str) -> None:
    part: Any = REGISTRY.get("architecture", name)
    with pytest.raises(SpaceError, match=words):
        part(**options).space(shape)
    with pytest.raises(SpaceError, match=words):
        part(**options).network(shape)


def test_a_causal_model_sees_no_later_position() -> None:
    architecture, shape = made("language model")
    parameters = architecture.space(shape).unflatten(architecture.initialize(shape, 1, random(0)))
    tokens = torch.tensor([[[0.0, 1, 2, 3], [0, 1, 4, 3]]])
    one, two = architecture.apply(shape, parameters, tokens)[0]
    torch.testing.assert_close(one[:2], two[:2])
    assert not torch.allclose(one[2:], two[2:])


def test_token_numbers_are_rounded_and_ends_stand_for_what_is_beyond() -> None:
    architecture, shape = made("language model")
    parameters = architecture.space(shape).unflatten(architecture.initialize(shape, 1, random(0)))
    outputs = architecture.apply(shape, parameters, torch.tensor([[[0.0, 1, 4, 4], [-3.0, 1.2, 3.9, 9]]]))
    assert torch.equal(outputs[0, 0], outputs[0, 1])


def test_a_sampled_variance_below_zero_counts_as_zero() -> None:
    architecture, shape = made("resnet")
    space, inputs = architecture.space(shape), torch.randn(1, 3, *shape.inputs, generator=random(1))
    parameters = space.unflatten(architecture.initialize(shape, 1, random(0)))
    outputs = [
        architecture.apply(shape, parameters | {"stem_norm.running_var": torch.full((1, 4), value)}, inputs)
        for value in (-1.0, 0.0)
    ]
    assert torch.equal(*outputs)
    assert outputs[0].isfinite().all()
