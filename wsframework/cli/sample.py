"""``wsf sample``: weights for a task of the user's own, from a trained prior."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wsframework.cli.device import Device
from wsframework.errors import RequestError

if TYPE_CHECKING:
    from wsframework.prior import Prior
    from wsframework.spaces import Weights
    from wsframework.tasks import Task


def sample(
    run: Annotated[Path, typer.Argument(help="The folder of a run, or of a prior.")],
    data: Annotated[Path, typer.Option(help="A CSV of the task: columns of numbers, and one of labels.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The file of weights to write.")] = Path("init.safetensors"),
    label: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="The column of labels (default: label); repeatable.")
    ] = None,
    network: Annotated[str, typer.Option(metavar="NAME", help="Which network of a mixed zoo's run.")] = "",
    n: Annotated[int, typer.Option("--number", "-n", min=1, help="How many draws; each has a file.")] = 1,
    best_of: Annotated[int, typer.Option(min=1, help="Make each draw the best of so many on the data.")] = 1,
    seed: Annotated[int, typer.Option(help="Of the draws.")] = 0,
    device: Annotated[Device, typer.Option(help="Where to compute.")] = Device.auto,
    as_json: Annotated[bool, typer.Option("--json", help="Print files, figures, warning and classes as JSON.")] = False,
) -> None:
    """Draw weights for the task in a CSV file: state dicts that load_state_dict(strict=True) takes.

    What was drawn and how well it fits goes to stderr, with a warning where the task is unlike those that the prior
    was trained on; stdout gets the paths of the files, or with --json all of it.
    """
    from wsframework.device import usable
    from wsframework.own_data import read_task
    from wsframework.pipeline.trained import prior_folder
    from wsframework.prior import Prior
    from wsframework.randomness import generator

    _check_out(out)
    prior = Prior.load(prior_folder(run, network)).to(usable(device.value))
    task = read_task(data, prior, label or "label")
    weights = prior.sample(task, n, generator(seed, "sample"), best_of=best_of)
    found = _summary(prior, task, weights, _written(weights, out))
    _tell(found, best_of)
    typer.echo(json.dumps(found, indent=2) if as_json else "\n".join(file["path"] for file in found["files"]))


def _check_out(out: Path) -> None:
    if out.is_dir():
        raise RequestError(f"--out {out}: this is a folder; name a file, such as {out / 'init.safetensors'}")


def _written(weights: Weights, out: Path) -> list[str]:
    """The paths of the files, one for each draw: ``out``, or several numbered ones."""
    from wsframework.store import save_tensors

    several = [out.with_name(f"{out.stem}-{i}{out.suffix}") for i in range(len(weights))]
    paths = [out] if len(weights) == 1 else several
    try:
        for path, state in zip(paths, weights, strict=True):
            save_tensors(path, state)
    except OSError as error:
        raise RequestError(f"--out {out}: can't be written ({error.strerror})") from None
    return list(map(str, paths))


def _summary(prior: Prior, task: Task, weights: Weights, paths: list[str]) -> dict[str, Any]:
    """What ``--json`` prints."""
    from wsframework.selection import support_scores

    losses, scores = (found.tolist() for found in support_scores(prior.architecture, task, weights.x))
    return {
        "files": [
            {"path": path, "support_loss": loss, "support_metric": score}
            for path, loss, score in zip(paths, losses, scores, strict=True)
        ],
        "metric": task.objective.metric,
        "classes": list(task.classes),
        "warning": prior.outside(task) or None,
    }


def _tell(found: dict[str, Any], best_of: int) -> None:
    """The story on stderr."""
    if found["classes"]:
        named = (f"{name} is {i}" for i, name in enumerate(found["classes"]))
        typer.echo(f"read the classes: {', '.join(named)}", err=True)
    if found["warning"]:
        typer.echo(f"warning: {found['warning']}; expect less of these weights", err=True)
    files = found["files"]
    drawn = "a network" if len(files) == 1 else f"{len(files)} networks"
    best = f", {'each ' * (len(files) > 1)}the best of {best_of}" * (best_of > 1)
    loss, metric = (_span([file[key] for file in files]) for key in ("support_loss", "support_metric"))
    typer.echo(f"drew {drawn}{best}: on the data before any step, loss {loss}, {found['metric']} {metric}", err=True)


def _span(values: list[float]) -> str:
    ends = f"{min(values):.4g}", f"{max(values):.4g}"
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)
