"""The audit of a run that has been done, whether it had one or not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from wsframework.config.reading import read_config
from wsframework.config.sections import AuditSection
from wsframework.errors import RequestError
from wsframework.parts.registry import Registry
from wsframework.pipeline.held import Held
from wsframework.pipeline.lock import run_lock
from wsframework.pipeline.single import Run


def audit_run(folder: Path, registry: Registry) -> dict[str, Any]:
    """The facts of the audit of the run in ``folder``; kept there, as a stage of the run.

    Raises:
        RequestError: where the folder is that of no run with one seed, or the run has not come to its prior's weights.
    """
    path = folder / "config.toml"
    if not path.is_file():
        raise RequestError(f"{folder}: no run lies here; name the folder of a run, or those of samples and zoo")
    config = read_config(path, registry)
    if config.ablate or config.mix or config.repeats > 1:
        raise RequestError(f"{folder}: this is a run of several runs; name the folder of one that is within")
    if not config.audit.samples:
        config = replace(config, audit=AuditSection())
    with run_lock(folder):
        runs = [Run(config, registry, folder, device) for device in ("auto", "cpu")]
        run = next((run for run in runs if _has_weights(run)), None)
        if run is None:
            raise RequestError(f"{folder}: this run has no weights from a prior; go on with it: wsf run {path}")
        found = run.audit(run.kept("prior").x)
    if not found:
        raise RequestError(f"{folder}: an audit compares networks of a zoo with one another; this one has one alone")
    return found


def _has_weights(run: Run) -> bool:
    """Whether the zoo is whole, and there are weights that the prior gave, trained on the run's device."""
    return not run.lacking and Held(run).holds("initialize-prior") and not run.kept("prior").reason
