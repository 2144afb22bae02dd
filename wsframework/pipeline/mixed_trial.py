"""The trial of a mixed zoo: what its members can't share is told before work starts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import torch

from wsframework.errors import ConfigError, WsfError
from wsframework.parts.registry import Registry
from wsframework.pipeline.arrangement import Arranged, Member, arranged
from wsframework.pipeline.identity import Identity
from wsframework.pipeline.trial import try_out
from wsframework.prior import Prior


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
    sizes = {}
    for name, one in places.items():
        try:
            prior = Prior(
                Identity(one.member.config, registry, "cpu", False).design, one.shape, registry, None, one.place
            )
        except WsfError as error:
            yield f"[denoiser] {error}"
            continue
        sizes[name] = prior.conditioner.size
        yield from _tried(prior, name)
    if len(set(sizes.values())) > 1:
        told = ", ".join(f"{size} for {name!r}" for name, size in sizes.items())
        yield f"[conditioner] one denoiser takes embeddings of one length, and these have {told}"


def _tried(prior: Prior, name: str) -> Iterator[str]:
    """What goes wrong when a network passes through the prior's encoder and denoiser."""
    x, t = torch.zeros(1, prior.space.size), torch.ones(1)
    condition = torch.zeros(1, prior.conditioner.size)
    for section, part, answer in (
        ("encoder", prior.encoder, lambda: prior.encoder.encode(x, prior.space)),
        (
            "denoiser",
            prior.denoiser,
            lambda: prior.denoiser(x.new_zeros(1, prior.latent.size), t, condition, prior.named),
        ),
    ):
        try:
            answer()
        except WsfError as error:
            yield f"[{section}] for network {name!r}: {error}"
        except Exception as error:  # a part of others that was not made for this may raise anything
            yield (
                f"[{section}] {part.name!r} does not serve network {name!r} beside the others "
                f"({type(error).__name__}: {error})"
            )
