"""``wsf run``: the whole of a config, from zoo to report."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wsframework.cli.device import Device

if TYPE_CHECKING:
    from wsframework.parts.registry import Registry


def run(
    config: Annotated[Path, typer.Argument(help="A TOML file; see examples/.")],
    out: Annotated[Path | None, typer.Option(help="The run's folder (default: runs/NAME).")] = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Change a key; repeatable.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Replaces the config's seed.")] = None,
    device: Annotated[Device, typer.Option(help="Where to compute.")] = Device.auto,
    as_json: Annotated[bool, typer.Option("--json", help="Print the scores as JSON.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what is to do, and about how long it takes.")
    ] = False,
) -> None:
    """Build the zoo, train the prior, fine-tune from every initializer, write the report.

    Stages that a former run in the same folder finished are reused where they still hold. The story goes to
    stderr; stdout gets the report's path, or with --json the scores. With --dry-run nothing is written: two runs in
    miniature are timed, and stdout gets the stages that are left.

    Of several processes that torchrun starts, the first one does all this, and the others help it to train the prior.
    """
    from wsframework.parts.entrypoints import load_registry
    from wsframework.pipeline.together import together

    registry = load_registry()
    with together(registry, device.value) as first:
        if first:
            _run(registry, config, out, changes or (), seed, device, as_json, dry_run)


def _run(
    registry: Registry,
    config: Path,
    out: Path | None,
    changes: Sequence[str],
    seed: int | None,
    device: Device,
    as_json: bool,
    dry_run: bool,
) -> None:
    from wsframework.cli.story import Story
    from wsframework.config.reading import read_config
    from wsframework.pipeline import ablate, run, run_mixed

    asked = read_config(config, registry, changes, seed)
    if dry_run:
        from wsframework.cli.planning import tell_plans

        return tell_plans(asked, registry, out or Path("runs") / asked.name, device.value, as_json)
    work = ablate.ablate if asked.ablate else run_mixed.run_mixed if asked.mix else run.run
    with Story() as story:
        result = work(asked, registry, out or Path("runs") / asked.name, device.value, story)
    typer.echo(json.dumps(result.scores, indent=2) if as_json else result.report)
