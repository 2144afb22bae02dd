"""What features promise."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any, cast

import torch
from hypothesis import strategies as st
from torch import Tensor

from wsframework.config.sections import PartConfig
from wsframework.parts.interfaces import Architecture, Features
from wsframework.spaces import WeightSpace
from wsframework.stated import architecture_of, stated
from wsframework.tasks import TaskShape
from wsframework.testing.check import Inapplicable, may_decline, promised, require, require_rounding, same
from wsframework.testing.equivariance import TOLERANCES, relative_difference
from wsframework.testing.strategies import WIDE, mlp_space, mlp_spaces, weight_spaces
from wsframework.testing.subject import Subject, randomised

F32, F64 = torch.float32, torch.float64
NETWORKS, POINTS = 6, 40
VECTORS, SEQUENCES, IMAGES = TaskShape((3,), (2,)), TaskShape((5, 2), (3,)), TaskShape((1, 4, 4), (2,))
FORMS: tuple[tuple[str, dict[str, Any], TaskShape], ...] = (
    ("mlp", {"widths": (5, 4)}, VECTORS),
    ("siren", {"widths": (6,), "omega": 3.0}, VECTORS),
    ("rnn", {"width": 4}, SEQUENCES),
    ("cnn", {"channels": (3,)}, IMAGES),
)
"""Networks that compute: the second and the third have signs, the last has scales."""


@dataclass(frozen=True, eq=False)
class FeaturesCase:
    """The networks that features describe.

    Attributes:
        network: what builds them; of some no more is known than their space.
    """

    subject: Subject
    network: PartConfig
    shape: TaskShape
    seed: int

    def __str__(self) -> str:
        return f"{NETWORKS} networks of {self.network.use}, seed {self.seed}, in the space\n{self.space}"

    @cached_property
    def architecture(self) -> Architecture:
        """What the features are built for."""
        return architecture_of(self.subject.parts, self.network)

    @cached_property
    def space(self) -> WeightSpace:
        """Of the networks."""
        return self.architecture.space(self.shape)

    def networks(self, dtype: torch.dtype = F64, seed: int = 0) -> Tensor:
        """Random weights (networks, size)."""
        generator = torch.Generator().manual_seed(self.seed + seed)
        return torch.randn(NETWORKS, self.space.size, generator=generator, dtype=F64).to(dtype)

    def fresh(self, dtype: torch.dtype = F64) -> Features:
        """As they are constructed."""
        with may_decline():
            return cast(Features, self.subject.build(self.architecture, self.shape)).to(dtype).eval()

    def fitted(self, dtype: torch.dtype = F64, *, random: bool = True) -> Features:
        """With random parameters, if there are any, fitted to other networks and to inputs."""
        made = self.fresh(dtype)
        if random:
            randomised(made, torch.Generator().manual_seed(self.seed))
        generator = torch.Generator().manual_seed(self.seed + 1)
        inputs = torch.randn(POINTS, *self.shape.inputs, generator=generator, dtype=F64)
        with may_decline():
            made.fit(self.networks(dtype, seed=2), inputs.to(dtype))
        return made

    def of(self, features: Features, x: Tensor) -> Tensor:
        """The vectors of a copy of x."""
        vectors: Tensor = features(x.clone())
        return vectors


def any_case(subject: Subject) -> st.SearchStrategy[FeaturesCase]:
    """Networks that compute, and spaces of every form, of which nothing else is known."""
    seeds = st.integers(0, 2**16)
    if subject.spaces is not None:
        return st.builds(FeaturesCase, st.just(subject), subject.spaces.map(stated), st.just(VECTORS), seeds)
    spaces = mlp_spaces() | weight_spaces(max_dims=4, max_parameters=3, max_size=300)
    drawn = st.sampled_from(_forms(subject)) | st.tuples(spaces.map(stated), st.just(VECTORS))
    return drawn.flatmap(lambda form: st.builds(FeaturesCase, st.just(subject), *map(st.just, form), seeds))


def _forms(subject: Subject) -> list[tuple[PartConfig, TaskShape]]:
    known = subject.parts.parts("architecture")
    return [(PartConfig(name, options), shape) for name, options, shape in FORMS if name in known]


def wide_case(subject: Subject) -> Sequence[FeaturesCase]:
    """Every network that computes, so that each gauge is tried; and layers wider than any that is generated."""
    if subject.spaces is not None:
        return ()
    wide = [(known, VECTORS) for known in (PartConfig("mlp", {"widths": WIDE[1:-1]}), stated(mlp_space(WIDE)))]
    return [FeaturesCase(subject, network, shape, 0) for network, shape in (*_forms(subject), *wide)]


@promised("features", any_case, may_decline_all=False)
def serves(case: FeaturesCase) -> None:
    """It maps networks (batch, weights) to vectors (batch, size), in the dtype that they have."""
    for dtype in (F32, F64):
        features = case.fitted(dtype)
        for x in (case.networks(dtype), case.networks(dtype)[:1]):
            vectors = case.of(features, x)
            wanted = (len(x), features.size)
            require(vectors.shape == wanted, f"networks {tuple(x.shape)} become {tuple(vectors.shape)}, not {wanted}")
            require(vectors.dtype == dtype, f"{dtype} becomes {vectors.dtype}")


@promised("features", any_case, further=wide_case)
def claim(case: FeaturesCase) -> None:
    """What it claims holds: ``f(g w) = f(w)`` for permutations g, and where it says so for signs and scales, too."""
    part = cast(type[Features], case.subject.part)
    if part.symmetry is None:
        raise Inapplicable("it claims no symmetry")
    require(part.symmetry == "invariant", f"it claims to be {part.symmetry}, and a vector can only be invariant")
    for dtype, seed in product((F64, F32), range(3)):
        features, x = case.fitted(dtype), case.networks(dtype)
        g = case.space.random_symmetry(torch.Generator().manual_seed(case.seed + seed), gauge=part.gauge)
        error = relative_difference(case.of(features, g.act(x)), case.of(features, x))
        require_rounding(error, dtype, "it is not invariant")


@promised("features", any_case)
def tells(case: FeaturesCase) -> None:
    """It tells networks apart: no two random ones get the same vector."""
    require((torch.pdist(case.of(case.fitted(), case.networks())) > 0).all(), "two random networks get one vector")


@promised("features", any_case)
def separates(case: FeaturesCase) -> None:
    """The networks of a batch don't see one another."""
    features, x = case.fitted(), case.networks()
    alone = torch.cat([case.of(features, row) for row in torch.split(x, 1)])
    error = relative_difference(alone, case.of(features, x))
    require(error <= 1e-9, "a network alone gets another vector than in its batch")


@promised("features", any_case)
def repeats(case: FeaturesCase) -> None:
    """Equal options give equal vectors, whatever torch's global generator says, and whatever was asked before."""
    answers = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        features = case.fitted(random=False)
        if seed == 2:
            case.of(features, case.networks(seed=5))
        answers += [case.of(features, case.networks()) for _ in range(2)]
    require(same(answers[0], answers[1]), "two calls with equal weights differ")
    require(same(answers[0], answers[2]), "two that are built and fitted alike differ")


@promised("features", any_case)
def restores(case: FeaturesCase) -> None:
    """A copy of it, and another one that loads its state dict, say the same."""
    one, other, x = case.fitted(), case.fresh(), case.networks()
    other.load_state_dict(one.state_dict(), strict=True)
    for name, again in (("a deep copy", copy.deepcopy(one)), ("one that loaded its state dict", other)):
        error = relative_difference(case.of(again, x), case.of(one, x))
        require(error <= TOLERANCES[F64], f"{name} gives other vectors")


@promised("features", any_case)
def preserves(case: FeaturesCase) -> None:
    """It leaves the networks that it is given as they are, in float32 and in float64."""
    for dtype in (F32, F64):
        features, x = case.fitted(dtype), case.networks(dtype)
        features(x)
        require(torch.equal(x, case.networks(dtype)), f"it changed the weights in place, in {dtype}")


@promised("features", any_case)
def finite(case: FeaturesCase) -> None:
    """Vectors are finite, and so are their gradients: for random weights, for equal ones, and where all are zero."""
    for dtype in (F32, F64):
        features, x = case.fitted(dtype), case.networks(dtype)
        for name, some in (("random", x), ("equal", torch.ones_like(x)), ("no", torch.zeros_like(x))):
            some = some.clone().requires_grad_()
            vectors = features(some)
            require(vectors.isfinite().all(), f"of networks with {name} weights it says what is not finite, in {dtype}")
            require(vectors.requires_grad, "it cuts the gradient off")
            (gradient,) = torch.autograd.grad(vectors.sum(), some)
            require(gradient.isfinite().all(), f"gradients are not finite for {name} weights, in {dtype}")


CHECKS = (serves, claim, tells, separates, repeats, restores, preserves, finite)
