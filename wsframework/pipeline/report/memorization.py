"""Whether the prior gives networks of the zoo: what the audit says, in words and beside networks of known kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wsframework.audit.rows import COLUMNS, rows
from wsframework.pipeline.report.contents import Section, Table, row


def memorization_section(found: Mapping[str, Any]) -> Section:
    """The verdict, and samples beside networks of known kind."""
    return Section("Memorisation", lead=[f"The prior's networks: {found['verdict']}."], tables=[_table(found)])


def _table(found: Mapping[str, Any]) -> Table:
    few = f"{found['candidates']} of {found['zoo']} networks of the zoo"
    caption = (
        "Distance: to the nearest network of the zoo, over all orders of neurons, signs and scales that leave the "
        f"function as it is, where each network was aligned with {few}; median. Ratio: nearest over second nearest, "
        "median. Near: nearer to the zoo than all but a hundredth of its own networks. Near one: and less than half as "
        "far from it as from the second nearest. Z_U: about standard normal for networks like the zoo's, far below 0 "
        "for those too near. Mistakes: largest intersection over union of wrong predictions with any network of the "
        "zoo, median."
    )
    return Table(COLUMNS, tuple(row(*texts) for texts in rows(found)), caption)
