"""What every architecture promises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from hypothesis import strategies as st
from torch import Tensor
from torch.func import functional_call

from wsframework.parts.interfaces import Architecture
from wsframework.spaces import Symmetry, WeightSpace
from wsframework.tasks import TaskShape
from wsframework.testing.check import may_decline, promised, require
from wsframework.testing.equivariance import relative_difference
from wsframework.testing.subject import Subject

F64 = torch.float64
FORMS = ((1,), (2,), (5,), (3, 4), (1, 8, 8))
"""Shapes of one example that are tried: vectors, a sequence, an image."""


@dataclass(frozen=True, eq=False)
class ArchitectureCase:
    """The shape of tasks, and how many networks are side by side."""

    subject: Subject
    shape: TaskShape
    networks: int
    seed: int
    points: int = 7

    def __str__(self) -> str:
        return f"{self.networks} networks, {self.points} points, seed {self.seed}, {self.shape}"

    def built(self) -> tuple[Architecture, WeightSpace]:
        """The architecture, and its space for this shape."""
        with may_decline():
            architecture = cast(Architecture, self.subject.build())
            space = architecture.space(self.shape)
            architecture.network(self.shape)
        return architecture, space

    def weights(self, architecture: Architecture, space: WeightSpace) -> Tensor:
        """Random weights of a common size, none of them zero, with the statistics of the inputs: (networks, size)."""
        generator = torch.Generator().manual_seed(self.seed)
        x = 0.5 * torch.randn(self.networks, space.size, generator=generator, dtype=F64)
        return architecture.calibrate(self.shape, x, self.inputs())

    def inputs(self, points: int | None = None) -> Tensor:
        """(networks, points, *inputs)."""
        generator = torch.Generator().manual_seed(self.seed + 1)
        return torch.randn(self.networks, points or self.points, *self.shape.inputs, generator=generator, dtype=F64)


def any_case(subject: Subject) -> st.SearchStrategy[ArchitectureCase]:
    """Vectors, sequences and images; one output to three."""
    shapes = st.builds(TaskShape, st.sampled_from(FORMS), st.tuples(st.integers(1, 3)))
    return st.builds(ArchitectureCase, st.just(subject), shapes, st.integers(1, 3), st.integers(0, 2**16))


def crowded_case(subject: Subject) -> Sequence[ArchitectureCase]:
    """More networks and more points than are generated."""
    return [ArchitectureCase(subject, TaskShape(form, (2,)), 33, 0, points=65) for form in ((2,), (3, 4), (1, 8, 8))]


def _apply(case: ArchitectureCase, architecture: Architecture, space: WeightSpace, x: Tensor) -> Tensor:
    return architecture.apply(case.shape, space.unflatten(x), case.inputs())


@promised("architecture", any_case, may_decline_all=False)
def names(case: ArchitectureCase) -> None:
    """Its space has the parameters of the network's state dict, no others, in their shapes."""
    architecture, space = case.built()
    state = {name: tuple(value.shape) for name, value in architecture.network(case.shape).state_dict().items()}
    for name in state.keys() | space.shapes.keys():
        found = (
            f"{name} is {state.get(name, 'absent')} in the network and {space.shapes.get(name, 'absent')} in the space"
        )
        require(state.get(name) == space.shapes.get(name), found)


@promised("architecture", any_case)
def applies(case: ArchitectureCase) -> None:
    """``apply`` computes what each network by itself computes: outputs (networks, points, *outputs)."""
    architecture, space = case.built()
    x, inputs = case.weights(architecture, space), case.inputs()
    out = _apply(case, architecture, space, x)
    wanted = (*inputs.shape[:2], *case.shape.outputs)
    require(out.shape == wanted, f"outputs have shape {tuple(out.shape)}, not {wanted}")
    network = architecture.network(case.shape).double().eval()
    for weights, points, found in zip(x, inputs, out, strict=True):
        error = relative_difference(found, functional_call(network, space.unflatten(weights), (points,)))
        require(error <= 1e-9, f"`apply` and the network itself differ by {error:.2g}, relative")


@promised("architecture", any_case, further=crowded_case)
def separates(case: ArchitectureCase) -> None:
    """A point's outputs do not depend on the other points of its batch."""
    architecture, space = case.built()
    parameters, inputs = space.unflatten(case.weights(architecture, space)), case.inputs()
    together = architecture.apply(case.shape, parameters, inputs)
    alone = [architecture.apply(case.shape, parameters, point) for point in torch.split(inputs[:, :7], 1, dim=1)]
    error = relative_difference(torch.cat(alone, 1), together[:, :7])
    require(error <= 1e-9, f"by itself a point has outputs that differ by {error:.2g}, relative")


@promised("architecture", any_case)
def symmetric(case: ArchitectureCase) -> None:
    """The symmetries of its space, gauges among them, leave the network's function unchanged."""
    architecture, space = case.built()
    x = case.weights(architecture, space)
    expected = _apply(case, architecture, space, x)
    for dim in space.free:
        g = _of_one_dim(space, dim, case.seed)
        error = relative_difference(_apply(case, architecture, space, g.act(x)), expected)
        require(error <= 1e-9, f"outputs change by {error:.2g}, relative, under a symmetry of {dim!r} in\n{space}\n")


def _of_one_dim(space: WeightSpace, dim: str, seed: int) -> Symmetry:
    """A random symmetry that leaves every other dim alone."""
    still, moving = space.identity_symmetry(), space.random_symmetry(torch.Generator().manual_seed(seed))
    factors = {**still.factors, dim: moving.factors[dim]} if dim in moving.factors else still.factors
    return Symmetry(space, {**still.permutations, dim: moving.permutations[dim]}, factors)


@promised("architecture", any_case)
def matters(case: ArchitectureCase) -> None:
    """Its outputs depend on the inputs and on every parameter, and a finite gradient says how."""
    architecture, space = case.built()
    x = case.weights(architecture, space).requires_grad_()
    inputs = case.inputs(points=32).requires_grad_()
    out = architecture.apply(case.shape, space.unflatten(x), inputs)
    gradient, through = torch.autograd.grad((out * torch.randn_like(out)).sum(), (x, inputs), allow_unused=True)
    others = architecture.apply(case.shape, space.unflatten(x), inputs.roll(1, dims=1))
    require(not torch.equal(others, out), "the outputs do not depend on the inputs")  # token numbers have no gradient
    require(through is None or bool(through.isfinite().all()), "the gradient of the inputs is not finite")
    require(gradient is not None and bool(gradient.isfinite().all()), "the gradient of the weights is not finite")
    assert gradient is not None
    for name, value in space.unflatten(gradient).items():
        require(value.any(), f"the outputs do not depend on {name}")


@promised("architecture", any_case, further=crowded_case)
def initializes(case: ArchitectureCase) -> None:
    """``initialize`` gives as many different, finite networks as asked for, from its generator alone."""
    architecture, space = case.built()
    drawn = []
    for seed in (1, 2):
        torch.default_generator.manual_seed(seed)
        drawn.append(architecture.initialize(case.shape, case.networks + 1, torch.Generator().manual_seed(case.seed)))
    wanted = (case.networks + 1, space.size)
    require(drawn[0].shape == wanted, f"it gives {tuple(drawn[0].shape)}, not {wanted}")
    require(drawn[0].isfinite().all(), "an initialisation is not finite")
    require(torch.equal(*drawn), "equal generators give different networks")
    require(len({tuple(row) for row in drawn[0].tolist()}) == wanted[0], "two of the networks are the same")
    generator = torch.Generator().manual_seed(case.seed)
    again = [architecture.initialize(case.shape, case.networks + 1, generator) for _ in range(2)]
    require(not torch.equal(*again), "one generator gives the same networks, one call after the other")


@promised("architecture", any_case)
def calibrates(case: ArchitectureCase) -> None:
    """After ``calibrate``, ``apply`` gives on the same inputs what training does; what training learns stays."""
    architecture, space = case.built()
    x, inputs = case.weights(architecture, space).requires_grad_(), case.inputs() + 1
    trained = architecture.apply_training(case.shape, space.unflatten(x), inputs)
    (learned,) = torch.autograd.grad((trained * torch.randn_like(trained)).sum(), x)
    after = architecture.calibrate(case.shape, x.detach(), inputs)
    error = relative_difference(architecture.apply(case.shape, space.unflatten(after), inputs), trained.detach())
    require(error <= 1e-9, f"after `calibrate`, `apply` and `apply_training` differ by {error:.2g}, relative")
    kept = (after == x.detach()) | (learned == 0)
    require(bool(kept.all()), "`calibrate` changes weights that training learns")


CHECKS = (names, applies, separates, symmetric, matters, initializes, calibrates)
