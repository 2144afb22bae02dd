"""The story of a run on stderr: one line for each finished stage, and a bar for the one that is going on."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from wsframework import events


class Rate(ProgressColumn):
    """Units finished a second, and what the stage notes beside it."""

    def render(self, task: Task) -> Text:
        """The rate, once it is known."""
        speed = f"{task.speed:.3g} {task.fields['unit']}/s" if task.speed else ""
        return Text("  ".join(filter(None, (speed, task.fields["note"]))))


class Story:
    """An observer that prints. Use it as a context: leaving it takes the bar away."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=self.console, transient=True)
        self._bars: dict[str, TaskID] = {}

    def __enter__(self) -> Story:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._progress.stop()

    def __call__(self, event: events.Event) -> None:
        """Tell one event."""
        if isinstance(event, events.Progress):
            self._advance(event)
        else:
            self._finish(event)

    def _advance(self, event: events.Progress) -> None:
        if event.stage not in self._bars:
            self._bars[event.stage] = self._progress.add_task(event.stage, unit=event.unit, note=event.note)
        bar = self._bars[event.stage]
        self._progress.update(bar, completed=event.done, total=event.total, unit=event.unit, note=event.note)

    def _finish(self, event: events.Finished) -> None:
        if event.stage in self._bars:
            self._progress.remove_task(self._bars.pop(event.stage))
        took = f"{event.seconds:.1f} s"
        aside = f"(kept from before; it took {took})" if event.reused else f"({took})"
        self.console.print(f"{escape(event.sentence)} [dim]{aside}[/]", highlight=False, soft_wrap=True)
