"""What the stages tell an observer. Stages emit events; only the command line prints them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Progress:
    """``done`` of ``total`` units of ``stage`` are finished; ``note`` is a figure worth seeing (a loss)."""

    stage: str
    done: int
    total: int
    unit: str = "steps"
    note: str = ""


@dataclass(frozen=True)
class Finished:
    """A stage is over: one past-tense sentence."""

    stage: str
    sentence: str
    seconds: float
    reused: bool = False


Event = Progress | Finished
Observer = Callable[[Event], None]


def silent(event: Event) -> None:
    """The observer that ignores everything."""


def of(name: str, observer: Observer) -> Observer:
    """An observer that tells ``observer`` each event as that of ``name``: a variant, or a network of a mixed zoo."""

    def tell(event: Event) -> None:
        if isinstance(event, Finished):
            event = replace(event, sentence=f"{name}: {event.sentence}")
        observer(replace(event, stage=f"{name}: {event.stage}"))

    return tell
