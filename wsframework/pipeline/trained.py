"""Where a trained prior lies: in the folder of a run, or in one of its own."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from wsframework.errors import RequestError, nearest
from wsframework.parts.registry import Registry
from wsframework.prior import Prior
from wsframework.prior_config import Design

FILES = ("config.json", "model.safetensors")
NAMED = 5


def prior_folder(run: Path, network: str = "") -> Path:
    """The folder of the prior that ``run`` means: ``run/prior``, or ``run`` itself; of a mixed zoo, of ``network``.

    Raises:
        RequestError: where there is none, or several, with what could be meant.
    """
    if network and run.is_dir():
        return _of_network(run, network)
    if _is_prior(run):
        return run
    if _is_prior(run / "prior"):
        return run / "prior"
    raise RequestError(f"{run}: {_reason(run)}")


def load_prior(folder: Path, design: Design, registry: Registry) -> Prior:
    """The prior in ``folder``, sampled as ``design`` says; where that was otherwise, its folder says so from now on."""
    prior = Prior.load(folder, registry)
    asked = replace(prior.design, sampler=design.sampler, steps=design.steps)
    if asked == prior.design:
        return prior
    prior.design = asked
    prior = prior.with_scheduler(registry=registry)
    prior.save(folder)
    return prior


def _of_network(run: Path, network: str) -> Path:
    """That of one of the networks that ``run`` has priors for."""
    names = sorted(path.name for path in run.iterdir() if _is_prior(path / "prior"))
    if network in names:
        return run / network / "prior"
    known = nearest(network, names) if names else "; it is no run of a mixed zoo"
    raise RequestError(f"{run}: this run has no prior for a network {network!r}{known}")


def _is_prior(folder: Path) -> bool:
    return any((folder / name).is_file() for name in FILES)


def _reason(run: Path) -> str:
    """Why there is not one prior, and what to do."""
    if run.is_file():
        return "this is a file; name the folder of a run, or of a prior"
    if not run.is_dir():
        names = [path.name for path in run.parent.iterdir() if path.is_dir()] if run.parent.is_dir() else []
        return f"there is no such folder{nearest(run.name, get_close_matches(run.name, names)[:1])}"
    within = sorted(path for pattern in ("*", "*/*") for path in run.glob(pattern) if _is_prior(path / "prior"))
    if within:
        more = ", ..." if len(within) > NAMED else ""
        return f"its priors are in folders of their own; name one: {', '.join(map(str, within[:NAMED]))}{more}"
    if (run / "config.toml").is_file():
        return f"this run has no prior yet; go on with it: wsf run {run / 'config.toml'} --out {run}"
    return "no run and no prior lies in this folder; name the folder of a run, such as runs/first"
