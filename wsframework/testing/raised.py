"""`Raised`: an exception that comes out of a part on trial, told with the place in the part's own code."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from pathlib import Path

from wsframework.parts.interfaces import INTERFACES, Part


@dataclass(frozen=True)
class Raised:
    """An exception, as the author of the part looks for it.

    Attributes:
        kind: the name of its class.
        sentence: what it says.
        place: the file and line of the innermost call in the part's own modules; empty where it passed none.
    """

    kind: str
    sentence: str
    place: str

    @classmethod
    def by(cls, error: Exception, part: type[Part]) -> Raised:
        """What ``error`` tells of ``part``."""
        return cls(type(error).__name__, str(error), _place(error, part))

    def __str__(self) -> str:
        told = f"{self.kind}: {self.sentence}" if self.sentence else self.kind
        return f"{told} (at {self.place})" if self.place else told

    @property
    def origin(self) -> str:
        """The same for exceptions that have one cause, as far as can be told: class and place, or all that there is."""
        return f"{self.kind} at {self.place}" if self.place else str(self)


def _place(error: Exception, part: type[Part]) -> str:
    interfaces = (Part, *INTERFACES.values())
    own = {c.__module__ for c in part.__mro__ if issubclass(c, Part) and c not in interfaces}
    frames = [(f, n) for f, n in traceback.walk_tb(error.__traceback__) if f.f_globals.get("__name__") in own]
    return f"{Path(frames[-1][0].f_code.co_filename).name}:{frames[-1][1]}" if frames else ""
