"""``wsf run --dry-run``: the stages of every run that a config stands for, with the time and disk they take."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from wsframework.config.sections import Config
    from wsframework.events import Observer
    from wsframework.parts.registry import Registry
    from wsframework.pipeline.plan import Stage

    Runs = list[tuple[Path, Config]]


def tell_plans(config: Config, registry: Registry, out: Path, device: str, as_json: bool) -> None:
    """Print the plan of each run of ``config`` in ``out``, and the sum."""
    from wsframework.cli.story import Story

    make = _mixed if config.mix else _single
    with Story() as story:
        plans = make(config, list(_runs(config, registry, out)), registry, device, story)
    if as_json:
        found = {folder: [asdict(stage) for stage in stages] for folder, stages in plans.items()}
        typer.echo(json.dumps(found, indent=2))
    else:
        _print(plans)


def _single(config: Config, runs: Runs, registry: Registry, device: str, observer: Observer) -> dict[str, list[Stage]]:
    from wsframework.pipeline.plan import plan
    from wsframework.pipeline.trial import try_out

    try_out(config.name, {str(folder): one for folder, one in runs}, registry)
    return {str(folder): plan(one, registry, folder, device, observer) for folder, one in runs}


def _mixed(config: Config, runs: Runs, registry: Registry, device: str, observer: Observer) -> dict[str, list[Stage]]:
    from wsframework.pipeline.arrangement import members
    from wsframework.pipeline.mixed_plan import plan_mixed
    from wsframework.pipeline.mixed_trial import try_mixed

    tried = {folder: try_mixed(config.name, members(one, registry), registry) for folder, one in runs}
    return {str(folder): plan_mixed(one, tried[folder], registry, folder, device, observer) for folder, one in runs}


def _runs(config: Config, registry: Registry, out: Path) -> Iterator[tuple[Path, Config]]:
    """Every run of one seed, and its folder."""
    from wsframework.pipeline.run import seeds
    from wsframework.pipeline.variants import variants

    named = [(out / v.folder, v.config) for v in variants(config, registry)] if config.ablate else [(out, config)]
    for folder, one in named:
        for seed in seeds(one):
            yield (folder if one.repeats == 1 else folder / f"seed-{seed.seed}"), seed


def _print(plans: dict[str, list[Stage]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("stage")
    for name in ("kept", "still to do", "disk"):
        table.add_column(name, justify="right")
    for folder, stages in plans.items():
        table.add_row(f"[bold]{folder}[/]", "", "", "")
        for stage in stages:
            table.add_row(f"  {stage.name}", f"{stage.kept:.0%}", duration(stage.seconds), size(stage.bytes))
    everything = [stage for stages in plans.values() for stage in stages]
    seconds, disk = sum(s.seconds for s in everything), sum(s.bytes for s in everything)
    table.add_row("[bold]together[/]", "", duration(seconds), size(disk))
    Console().print(table)


def duration(seconds: float) -> str:
    """In the unit that a person would choose.

    >>> duration(0), duration(42), duration(600), duration(9000), duration(400000)
    ('-', 'about 42 s', 'about 10 min', 'about 2.5 h', 'about 4.6 days')
    """
    if not seconds:
        return "-"
    for unit, length, least in (("days", 86400, 2 * 86400), ("h", 3600, 5400), ("min", 60, 90)):
        if seconds >= least:
            return f"about {seconds / length:.2g} {unit}"
    return f"about {max(seconds, 1):.2g} s"


def size(count: int) -> str:
    """Bytes in the unit that a person would choose.

    >>> size(0), size(1500), size(25_000_000)
    ('-', '1.5 kB', '25 MB')
    """
    for unit, length in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= length:
            return f"{count / length:.3g} {unit}"
    return f"{count} B" if count else "-"
