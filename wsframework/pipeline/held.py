"""`Held`: which stages a run's folder holds, without doing any."""

from __future__ import annotations

from functools import cache

from wsframework.pipeline.pictures import SHOWN
from wsframework.pipeline.single import Run


class Held:
    """The stages that a run would keep. Each file of initial weights is read once, for all stages that follow it."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._kept = cache(run.kept)

    def holds(self, stage: str) -> bool:
        """Whether ``stage`` is held (as `Run.cost` names it; the zoo has `Run.lacking`)."""
        run, (kind, _, label) = self.run, stage.partition("-")
        if kind == "prior":
            return run.cache.holds(stage, run.identity.prior)
        if kind == "pictures":
            return self._holds_pictures()
        if kind == "audit":
            return self.holds("initialize-prior") and run.cache.holds(stage, run.identity.audit(self._kept("prior").x))
        name = label.split(" (")[0]
        if not run.cache.holds(f"initialize-{name}", run.identity.initial(name)):
            return False
        if kind == "initialize":
            return True
        return run.cache.holds(stage, run.identity.curves(run.start(label, self._kept(name).x)))

    def _holds_pictures(self) -> bool:
        names = self.run.config.compare.initializers
        held = all(self.holds(f"initialize-{name}") for name in names)
        x = {n: initial.x[:SHOWN, 0] for n in names if held and not (initial := self._kept(n)).reason}
        return held and self.run.cache.holds("pictures", self.run.identity.pictures(x))
