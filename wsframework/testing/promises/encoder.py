"""What every encoder promises."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import cast

import torch
from hypothesis import strategies as st
from torch import Tensor

from wsframework.parts.interfaces import WeightEncoder
from wsframework.spaces import Symmetry, WeightSpace
from wsframework.testing.check import Inapplicable, may_decline, promised, require, require_rounding
from wsframework.testing.equivariance import TOLERANCES, relative_difference
from wsframework.testing.gauges import gauged_spaces, turning
from wsframework.testing.perceptron import perceptron
from wsframework.testing.strategies import WIDE, mlp_space, mlp_spaces, weight_spaces
from wsframework.testing.subject import Subject, randomised

F32, F64 = torch.float32, torch.float64
NETWORKS = 12
FAR = 30
"""How many times larger than the zoo's, weights are that lie far outside it."""


@dataclass(frozen=True, eq=False)
class EncoderCase:
    """An encoder's space, and the zoo that it is fitted to."""

    subject: Subject
    space: WeightSpace
    seed: int

    def __str__(self) -> str:
        return f"a zoo of {NETWORKS} networks, seed {self.seed}, in the space\n{self.space}"

    def zoo(self, dtype: torch.dtype = F64) -> Tensor:
        """Weights (networks, size), of which every coordinate has a mean and a scale of its own."""
        generator = torch.Generator().manual_seed(self.seed)
        mean, log_scale = torch.randn(2, self.space.size, generator=generator, dtype=F64)
        x = torch.randn(NETWORKS, self.space.size, generator=generator, dtype=F64)
        zoo: Tensor = mean + x * (0.5 * log_scale).exp()
        return zoo.to(dtype)

    def fresh(self, dtype: torch.dtype = F64, built: int = 0) -> WeightEncoder:
        """Not fitted; random parameters, if it has any; ``built`` seeds what the constructor draws."""
        torch.default_generator.manual_seed(built)
        with may_decline():
            made = cast(WeightEncoder, self.subject.build(self.space))
        return randomised(made, torch.Generator().manual_seed(self.seed)).to(dtype).eval()

    def fitted(self, dtype: torch.dtype = F64) -> WeightEncoder:
        """Fitted to the zoo."""
        encoder = self.fresh(dtype)
        with may_decline():
            encoder.fit(self.zoo(dtype), self.space)
        return encoder

    def encode(self, encoder: WeightEncoder, x: Tensor) -> Tensor:
        """The latents of a copy of x, whatever the encoder does to it."""
        return encoder.encode(x.clone(), self.space)

    def decode(self, encoder: WeightEncoder, z: Tensor) -> Tensor:
        """The weights of a copy of z."""
        return encoder.decode(z.clone(), self.space)


def _cases(subject: Subject, spaces: st.SearchStrategy[WeightSpace]) -> st.SearchStrategy[EncoderCase]:
    return st.builds(EncoderCase, st.just(subject), subject.spaces or spaces, st.integers(0, 2**16))


def any_case(subject: Subject) -> st.SearchStrategy[EncoderCase]:
    """Perceptrons, and spaces of every form."""
    return _cases(subject, mlp_spaces() | weight_spaces(max_dims=4, max_parameters=3, max_size=300))


@st.composite
def _perceptrons(draw: st.DrawFn) -> WeightSpace:
    return draw(mlp_spaces(hidden_layers=(1, 3), widths=(1, 8), gauge=draw(st.sampled_from([None, "sign", "scale"]))))


def gauged_case(subject: Subject) -> st.SearchStrategy[EncoderCase]:
    """Perceptrons whose neurons have signs or scales, and spaces of every form."""
    return _cases(subject, gauged_spaces())


def function_case(subject: Subject) -> st.SearchStrategy[EncoderCase]:
    """Perceptrons, whose function is known; with and without gauges."""
    return _cases(subject, _perceptrons())


@promised("encoder", any_case, may_decline_all=False)
def serves(case: EncoderCase) -> None:
    """It maps weights (..., size) to latents (..., latent size) and back, in the dtype that they have."""
    latent = case.fresh().latent(case.space).size
    for dtype in (F32, F64):
        encoder, x = case.fitted(dtype), case.zoo(dtype)
        for batch in (x, x[0], x.reshape(3, NETWORKS // 3, -1)):
            z = case.encode(encoder, batch)
            wanted = (*batch.shape[:-1], latent)
            require(z.shape == wanted, f"encode: weights {tuple(batch.shape)} become {tuple(z.shape)}, not {wanted}")
            back = case.decode(encoder, z)
            require(back.shape == batch.shape, f"decode: latents {tuple(z.shape)} become {tuple(back.shape)}")
            require(z.dtype == back.dtype == dtype, f"{dtype} becomes {z.dtype}, and then {back.dtype}")


@promised("encoder", function_case)
def inverts(case: EncoderCase) -> None:
    """Decoding what it encoded gives a network that computes the same function, in the zoo and outside it.

    Of a lossy encoder: one that is nearer to it than the zoo's mean is, over the whole zoo; and no two networks of the
    zoo become one.
    """
    encoder, space = case.fitted(), case.space
    if case.subject.spaces is not None:
        raise Inapplicable("the functions of the networks in these spaces are not known")
    generator = torch.Generator().manual_seed(case.seed + 1)
    inputs = 2 * torch.randn(20, space.dim("in").size, generator=generator, dtype=F64)
    unseen = 3 * torch.randn(4, space.size, generator=generator, dtype=F64)
    for where, x in (("in the zoo", case.zoo()), ("outside it", unseen)):
        if not encoder.lossless and where == "outside it":
            break
        again = perceptron(space, case.decode(encoder, case.encode(encoder, x)), inputs)
        expected = perceptron(space, x, inputs)
        bound = 1e-9 if encoder.lossless else _error_of_the_mean(space, x, inputs)
        error = relative_difference(again, expected)
        require(error <= bound, f"for networks {where} the outputs differ by {error:.2g}, relative; {bound:.2g} is met")
    apart = torch.pdist(case.encode(encoder, case.zoo()))
    require((apart > 0).all(), "two networks of the zoo have the same latents")


def _error_of_the_mean(space: WeightSpace, x: Tensor, inputs: Tensor) -> float:
    """How far outputs are off when every network is replaced by the mean one: what a lossy encoder has to beat."""
    mean = x.mean(0, keepdim=True).expand_as(x)
    return relative_difference(perceptron(space, mean, inputs), perceptron(space, x, inputs))


def wide_case(subject: Subject) -> Sequence[EncoderCase]:
    """Hidden layers wider than any that is generated, as real ones are; none where spaces are chosen."""
    return () if subject.spaces else (EncoderCase(subject, mlp_space(WIDE), seed=0),)


@promised("encoder", any_case, further=wide_case)
def claim(case: EncoderCase) -> None:
    """What it claims of permutations holds: ``encode(g w) = g encode(w)``, and so for decode, in both dtypes."""
    claimed, space = case.subject.part.symmetry, case.space
    if claimed is None:
        raise Inapplicable("it claims no symmetry")
    for dtype, far in product((F64, F32), (1, FAR)):
        encoder, x = case.fitted(dtype), far * case.zoo(dtype)[:3]
        g = space.random_symmetry(torch.Generator().manual_seed(case.seed), gauge=False)
        h = _on_latents(g, encoder.latent(space)) if claimed == "equivariant" else None
        z = case.encode(encoder, x)
        expected = h.act(z) if h else z
        error = relative_difference(case.encode(encoder, g.act(x)), expected)
        require_rounding(error, dtype, f"encode is not {claimed} for weights {far} times the zoo's")
        if h:
            error = relative_difference(case.decode(encoder, expected), g.act(case.decode(encoder, z)))
            require_rounding(error, dtype, f"decode is not {claimed} for weights {far} times the zoo's")


@promised("encoder", gauged_case)
def gauges(case: EncoderCase) -> None:
    """What it claims of gauges holds: ``encode(g w) = g encode(w)`` for signs or scales g too, and so for decode."""
    kinds = case.fresh().gauges
    if not kinds:
        raise Inapplicable("it claims nothing of gauges")
    g = turning(case.space, kinds, case.seed)
    for dtype in (F64, F32):
        encoder, x = case.fitted(dtype), case.zoo(dtype)[:3]
        h = _on_latents(g, encoder.latent(case.space))
        z = case.encode(encoder, x)
        encoded = relative_difference(case.encode(encoder, g.act(x)), h.act(z))
        decoded = relative_difference(case.decode(encoder, h.act(z)), g.act(case.decode(encoder, z)))
        for name, error in (("encode", encoded), ("decode", decoded)):
            require_rounding(error, dtype, f"{name} is not equivariant to {' and '.join(kinds)}s")


def _on_latents(g: Symmetry, latent: WeightSpace) -> Symmetry:
    """How g acts on latents: by the permutations of the free dims that they share with the weights, and by gauges."""
    for dim in (d for d in latent.dims if d.free):
        known = dim.name in g.permutations and g.space.dim(dim.name).size == dim.size
        require(known, f"the latent's free dim {dim.name!r} is none of the weights', so that g can't act on it")
    identity = latent.identity_symmetry()
    shared = {name: g.permutations[name] for name in identity.permutations}
    return Symmetry(latent, shared, {name: g.factors.get(name, one) for name, one in identity.factors.items()})


@promised("encoder", any_case)
def separates(case: EncoderCase) -> None:
    """Once it is fitted, the networks of a batch don't see one another."""
    encoder, x = case.fitted(), case.zoo().repeat(3, 1)[:33]
    z = case.encode(encoder, x)
    for name, one, batch in (("encode", case.encode, x), ("decode", case.decode, z)):
        alone = torch.cat([one(encoder, row) for row in torch.split(batch[:3], 1)])
        error = relative_difference(alone, one(encoder, batch)[:3])
        require(error <= 1e-9, f"{name}: a network alone gets another answer than in its batch")


@promised("encoder", any_case)
def differentiates(case: EncoderCase) -> None:
    """A gradient goes through decode, to every latent coordinate's weights and finite; of a lossless one, the right
    one.
    """
    encoder = case.fitted()
    z = case.encode(encoder, case.zoo()).detach().requires_grad_()
    x = case.decode(encoder, z)
    require(x.requires_grad, "decode cuts the gradient off")
    weighing = torch.randn_like(x)
    (found,) = torch.autograd.grad((x * weighing).sum(), z, allow_unused=True)
    require(found is not None and bool(found.isfinite().all()), "the gradient through decode is not finite")
    require(found is not None and bool((found != 0).any(0).all()), "no gradient reaches some latent coordinate")
    if encoder.lossless and found is not None:
        way = 1e-5 * torch.randn_like(z)
        ahead, behind = (case.decode(encoder, z.detach() + sign * way) for sign in (1, -1))
        error = relative_difference((found * way).sum(), ((ahead - behind) / 2 * weighing).sum())
        require(
            error <= 1e-2, f"the gradient through decode is off by {error:.2g}, relative, from what a small step does"
        )


@promised("encoder", any_case)
def restores(case: EncoderCase) -> None:
    """A copy of it, and another one that loads its state dict, encode and decode as it does."""
    one, other, x = case.fitted(), case.fresh(built=2), case.zoo()
    other.load_state_dict(one.state_dict(), strict=True)
    z = case.encode(one, x)
    for name, again in (("a deep copy", copy.deepcopy(one)), ("one that loaded its state dict", other)):
        decoded = relative_difference(case.decode(again, z), case.decode(one, z))  # before it encodes anything
        require(decoded <= TOLERANCES[F64], f"{name} decodes otherwise")
        encoded = relative_difference(case.encode(again, x), z)  # buffers may be laid out otherwise in memory
        require(encoded <= TOLERANCES[F64], f"{name} encodes otherwise")


@promised("encoder", any_case)
def repeats(case: EncoderCase) -> None:
    """Two fits to one zoo encode alike, whatever torch's global generator says, and whatever was fitted before.

    Nor does it matter what was encoded and decoded before.
    """
    answers = []
    for seed in (1, 2):
        encoder = case.fresh()
        if seed == 2:
            encoder.fit(2 * case.zoo()[:5] + 1, case.space)
        torch.default_generator.manual_seed(seed)
        encoder.fit(case.zoo(), case.space)
        answers.append([case.encode(encoder, case.zoo())])
        case.decode(encoder, case.encode(encoder, 2 * case.zoo()[:5] + 1))
        answers[-1].append(case.encode(encoder, case.zoo()))
    (first, again), (other, _) = answers
    require(torch.equal(first, again), "two calls with equal weights differ")
    require(torch.equal(first, other), "two fits to one zoo differ")


@promised("encoder", any_case)
def preserves(case: EncoderCase) -> None:
    """It leaves the weights and latents that it is given as they are, in float32 and in float64."""
    for dtype in (F64, F32):
        encoder, x = case.fresh(dtype), case.zoo(dtype)
        encoder.fit(x, case.space)
        require(torch.equal(x, case.zoo(dtype)), f"fit changed the zoo in place, in {dtype}")
        z = encoder.encode(x, case.space)
        require(torch.equal(x, case.zoo(dtype)), f"encode changed the weights in place, in {dtype}")
        before = z.clone()
        encoder.decode(z, case.space)
        require(torch.equal(z, before), f"decode changed the latents in place, in {dtype}")


def _every_other(zoo: Tensor) -> Tensor:
    """A zoo in which every other coordinate is the same in all networks."""
    return torch.where(torch.arange(zoo.shape[1]) % 2 == 0, zoo[:1], zoo)


_ZOOS: tuple[tuple[str, Callable[[Tensor], Tensor]], ...] = (
    ("of equal networks", lambda zoo: zoo[:1].repeat(4, 1)),
    ("of one network", lambda zoo: zoo[:1].clone()),
    ("in which some coordinates never vary", _every_other),
)


@promised("encoder", any_case)
def finite(case: EncoderCase) -> None:
    """Latents are finite for a zoo whose coordinates never vary, all of them or some, and for a zoo of one network,
    in both dtypes.
    """
    for dtype, (name, chosen) in product((F64, F32), _ZOOS):
        encoder = case.fresh(dtype)
        with may_decline():
            encoder.fit(chosen(case.zoo(dtype)), case.space)
        z = case.encode(encoder, case.zoo(dtype))
        require(z.isfinite().all(), f"fitted to a zoo {name} in {dtype}, it encodes to what is not finite")
        require(case.decode(encoder, z).isfinite().all(), f"fitted to a zoo {name} in {dtype}, it decodes so")


CHECKS = (serves, inverts, claim, gauges, separates, differentiates, restores, repeats, preserves, finite)
