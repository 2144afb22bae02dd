"""What every part promises, of whatever kind."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hypothesis import strategies as st

from wsframework.parts.contract import faults
from wsframework.parts.options import options_of
from wsframework.testing.check import promised, require
from wsframework.testing.subject import Subject


@dataclass(frozen=True, eq=False)
class PartCase:
    """The class itself."""

    subject: Subject
    seed: int = 0

    def __str__(self) -> str:
        return "its class as it is written"


def the_case(subject: Subject) -> st.SearchStrategy[PartCase]:
    """The only one."""
    return st.just(PartCase(subject))


@promised("part", the_case)
def registers(case: PartCase) -> None:
    """It has a name, a docstring, its interface's methods, and options with annotations and defaults."""
    found = faults(case.subject.part)
    require(not found, "; ".join(found))
    _ = case.subject.parts


@promised("part", the_case)
def explains(case: PartCase) -> None:
    """Its docstring says of every option, after its name and a colon, what it is."""
    part = case.subject.part
    silent = [name for name in options_of(part) if name not in _told(part.__doc__ or "")]
    require(not silent, f"the docstring does not name {', '.join(silent)}, as `name: what it is`")


def _told(doc: str) -> set[str]:
    """The names before a colon, several of them separated by commas."""
    lines = re.findall(r"^[ \t]*([a-z_A-Z0-9, ]+):[ \t]", doc, flags=re.MULTILINE)
    return {name.strip() for line in lines for name in line.split(",")}


CHECKS = (registers, explains)
