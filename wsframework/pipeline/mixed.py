"""A mixed zoo with one seed: each member's stages in a folder of its own, and the training that they share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property, partial
from pathlib import Path

from wsframework.config.sections import Config
from wsframework.config.writing import to_toml
from wsframework.device import usable
from wsframework.events import Finished, Observer, of, silent
from wsframework.parts.registry import Registry
from wsframework.pipeline.arrangement import Arranged
from wsframework.pipeline.evidence import Evidence
from wsframework.pipeline.gathering import gather
from wsframework.pipeline.identity import Identity
from wsframework.pipeline.single import Run
from wsframework.pipeline.stage import Checkpoint, StageCache, fingerprint
from wsframework.pipeline.train_together import Trainee, train_together, transferred
from wsframework.pipeline.trained import load_prior
from wsframework.prior import Prior
from wsframework.store import write_atomic
from wsframework.zoo import NoZoo, Zoo


class MemberRun(Run):
    """The run of a member: that of its own config, but for where its zoo and its prior come from.

    Arguments:
        beside: the fingerprint of the training that members share.
        prior_of: gives the prior of the member that is named; of one that is not in the zoo, made anew.
    """

    def __init__(
        self,
        one: Arranged,
        registry: Registry,
        out: Path,
        device: str,
        observer: Observer,
        beside: str,
        prior_of: Callable[[str], Prior],
    ) -> None:
        super().__init__(one.member.config, registry, out / one.member.name, device, of(one.member.name, observer))
        self.member, self.prior_of = one.member, prior_of
        self.identity = Identity(self.config, registry, self.device, shares_zoo=False, beside=beside)

    @cached_property
    def zoo(self) -> Zoo:
        """That of its folder, or none."""
        return super().zoo if self.member.seen else NoZoo(self.splits.seen)

    @cached_property
    def prior(self) -> Prior:
        """That which was trained together with the others, or what they have for it, kept in its folder."""
        if self.member.seen:
            return self.prior_of(self.member.name)
        staged = self.cache.stage(
            "prior",
            self.identity.prior,
            lambda: self.prior_of(self.member.name),
            lambda prior, folder: prior.save(folder / "prior"),
            lambda folder: load_prior(folder / "prior", self.design, self.registry).to(self.device),
        )
        self._note("prior", staged, "took over a prior from networks of its kind")
        return staged.value


class MixedRun:
    """All members of a mixed zoo in one folder.

    Arguments:
        config: with one seed; only what members share is taken from it.
        places: of the members.
    """

    def __init__(
        self,
        config: Config,
        places: Mapping[str, Arranged],
        registry: Registry,
        out: Path,
        device: str = "auto",
        observer: Observer = silent,
    ) -> None:
        self.config, self.places, self.registry, self.out, self.observer = config, places, registry, out, observer
        self.device, self.cache = usable(device), StageCache(out)
        seen = {name: one.member.config for name, one in places.items() if one.member.seen}
        alone = [(name, Identity(one, registry, self.device, shares_zoo=False).prior) for name, one in seen.items()]
        self.made_from = fingerprint(alone, places[alone[0][0]].place.union)
        run = partial(MemberRun, beside=self.made_from, prior_of=self.prior_of)
        self.runs = {name: run(one, registry, out, device, observer) for name, one in places.items()}
        self.seconds = 0.0

    @property
    def seen(self) -> list[str]:
        """The names of the members that are in the zoo."""
        return [name for name, one in self.places.items() if one.member.seen]

    def gather(self) -> dict[str, Evidence]:
        """Every zoo, then the priors, then what each member's run finds."""
        write_atomic(self.out / "config.toml", to_toml(self.config))
        for name in self.seen:
            _ = self.runs[name].zoo
        _ = self.priors
        return {name: gather(run) for name, run in self.runs.items()}

    @cached_property
    def priors(self) -> dict[str, Prior]:
        """The priors of all members that are in the zoo, trained together, as they read back from their folders."""
        checkpoint = Checkpoint(self.out / "checkpoints" / "prior.safetensors", self.made_from)
        staged = self.cache.stage(
            "prior",
            self.made_from,
            lambda: self._trained(checkpoint),
            _save,
            self._loaded,
            checkpoint.spent(),
        )
        checkpoint.remove()
        self.seconds = staged.seconds
        sentence = f"trained a prior for {len(self.seen)} networks ({self.config.denoiser.use})"
        self.observer(Finished("prior", sentence, staged.seconds, staged.reused))
        return staged.value

    def _loaded(self, out: Path) -> dict[str, Prior]:
        folders = {name: out / name / "prior" for name in self.seen}
        return {
            name: load_prior(folder, self.runs[name].design, self.registry).to(self.device)
            for name, folder in folders.items()
        }

    def _trained(self, checkpoint: Checkpoint) -> dict[str, Prior]:
        trainees = {}
        for name in self.seen:
            run, one = self.runs[name], self.places[name]
            trainees[name] = Trainee(run.design, run.zoo, one.place, one.described_as)
        return train_together(
            trainees,
            self.registry,
            self.config.train,
            self.config.seed,
            device=self.device,
            checkpoint=checkpoint,
            observer=self.observer,
        )

    def prior_of(self, name: str) -> Prior:
        """The prior of a member, whether it is in the zoo or not."""
        one, run = self.places[name], self.runs[name]
        if one.member.seen:
            return self.priors[name]
        kin = [self.runs[other].zoo for other in one.kin]
        told = self.priors[one.described_as]
        return transferred(run.design, one.shape, self.registry, one.place, kin, told)


def _save(priors: Mapping[str, Prior], out: Path) -> None:
    for name, prior in priors.items():
        prior.save(out / name / "prior")
