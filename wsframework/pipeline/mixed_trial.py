"""The trial of a mixed zoo: what its members can't share is told before work starts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch

from wsframework.errors import ConfigError, PartError, WsfError
from wsframework.parts.registry import Registry
from wsframework.pipeline.arrangement import Arranged, Member, arranged
from wsframework.pipeline.identity import Identity
from wsframework.pipeline.trial import try_out
from wsframework.prior import Prior
from wsframework.prior_config import Design
from wsframework.spaces import WeightSpace


def try_mixed(source: str, found: Sequence[Member], registry: Registry) -> dict[str, Arranged]:
    """The members in their places, with every part built once, and the denoiser and encoders tried on each.

    Raises:
        ConfigError: with a sentence for each thing that parts refuse.
    """
    try_out(source, {member.name: member.config for member in found}, registry, "network")
    places = arranged(source, found, registry)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        mistakes = list(_mistakes(places, registry))
    if mistakes:
        raise ConfigError(source, list(dict.fromkeys(mistakes)))
    return places


def _mistakes(places: Mapping[str, Arranged], registry: Registry) -> Iterator[str]:
    """The first fault of each part that members share, and what keeps them from sharing it."""
    sizes: dict[str, int] = {}
    faults: dict[str, str] = {}
    for name, one in places.items():
        try:
            prior = Prior(_design(one, registry), one.shape, registry, None, one.place)
        except WsfError as error:
            faults.setdefault("denoiser", f"[denoiser] {error}")
            continue
        sizes[name] = prior.conditioner.size
        kin = [places[other].space for other in one.kin] if one.place.fitted else []
        for section, fault in _faults(prior, name, kin):
            faults.setdefault(section, f"[{section}] {fault}")
    yield from faults.values()
    if len(set(sizes.values())) > 1:
        told = ", ".join(f"{size} for {name!r}" for name, size in sizes.items())
        yield f"[conditioner] one denoiser takes embeddings of one length, and these have {told}"


def _design(one: Arranged, registry: Registry) -> Design:
    return Identity(one.member.config, registry, "cpu", shares_zoo=False).design


def _faults(prior: Prior, network: str, kin: Sequence[WeightSpace]) -> Iterator[tuple[str, str]]:
    """What goes wrong when a network passes through the prior's encoder, and its latent through the denoiser."""
    x, z, t = torch.zeros(1, prior.space.size), torch.zeros(1, prior.latent.size), torch.ones(1)
    condition = torch.zeros(1, prior.conditioner.size)
    if fault := _fault(lambda: _fit_to(kin, prior)) or _fault(lambda: prior.encoder.encode(x, prior.space)):
        yield (
            "encoder",
            f"{prior.encoder.name!r} can't be fitted to other networks of the kind of {network!r}, which is not in the "
            f"zoo: {fault}; one that pools by role, such as 'orbit', can",
        )
    elif fault := _fault(lambda: prior.denoiser(z, t, condition, prior.named)):
        yield "denoiser", f"{prior.denoiser.name!r} does not serve {network!r} beside the other networks: {fault}"


def _fit_to(kin: Sequence[WeightSpace], prior: Prior) -> None:
    """Fit the encoder to made-up networks of ``kin``, and see that it knows each of them by itself.

    Raises:
        PartError: where it says another thing of a network alone than of the same one beside others.
    """
    if not kin or prior.place is None:
        return
    x = torch.randn(8, sum(space.size for space in kin), generator=torch.Generator().manual_seed(0))
    together = WeightSpace.parse(prior.place.fitted)
    prior.encoder.fit(x, together)
    parts = zip(x.split_with_sizes([space.size for space in kin], 1), kin, strict=True)
    alone = torch.cat([prior.encoder.encode(part, space) for part, space in parts], 1)
    if not torch.allclose(alone, prior.encoder.encode(x, together), atol=1e-4):
        raise PartError("what it learned of several it does not find again for each")


def _fault(answer: Callable[[], Any]) -> str:
    """What ``answer`` raises, in words; empty where that is nothing."""
    try:
        answer()
    except WsfError as error:
        return str(error)
    except Exception as error:  # a part of others that was not made for this may raise anything
        return f"{type(error).__name__}: {error}"
    return ""
