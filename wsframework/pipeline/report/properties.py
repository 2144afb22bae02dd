"""The report's table of what networks are like beside their loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wsframework.pipeline.report.contents import Cell, Row, Table
from wsframework.pipeline.report.findings import level
from wsframework.pipeline.report.numbers import between, number

MEASURES = {
    "calibration_error": "calibration error",
    "calibration_chance": "the same by chance",
    "overconfidence": "overconfidence",
    "vote_calibration_error": "calibration error of the vote",
    "vote_calibration_chance": "the same by chance, of the vote",
    "vote_overconfidence": "overconfidence of the vote",
    "disagreement": "disagreement of draws",
    "weight_distance": "distance of draws",
    "zoo_distance": "distance from the nearest of the zoo",
    "barrier": "barrier to it, aligned",
    "barrier_unaligned": "barrier to it as it lies",
    "collapse_within": "collapse: within classes",
    "collapse_norms": "collapse: norms",
    "collapse_angles": "collapse: angles",
    "collapse_duality": "collapse: duality",
}


def properties_table(scores: Mapping[str, Any]) -> Table:
    """A row for each measure that any has, a column for each initializer of several draws, and one for the zoo."""
    properties = scores["properties"]
    known = [name for name in MEASURES if any(name in found for found in properties.values())]
    rows = [Row((Cell(MEASURES[n]), *(_cell(found.get(n)) for found in properties.values()))) for n in known]
    reasons = {name: why for found in properties.values() for name, why in found["not_applicable"].items()}
    told = " ".join(f"Not applicable, {name.replace('_', ' ')}: {why.rstrip('.')}." for name, why in reasons.items())
    caption = (
        f"Before any step, with {level(scores)} intervals over tasks; of the zoo's networks, after their training. "
        "Calibration on query data: 0 is perfect, and what it is by chance is that of as many points that are "
        f"perfectly calibrated. Collapse on support data: 0 is full collapse. {told}"
    )
    return Table(("measure", *properties), tuple(rows), caption.strip())


def _cell(found: Mapping[str, Any] | float | None) -> Cell:
    if isinstance(found, Mapping):
        return Cell(number(found["mean"]), between(found["low"], found["high"]))
    return Cell(number(found))
