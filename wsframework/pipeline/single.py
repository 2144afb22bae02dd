"""One run with one seed: its stages in the order of the data, each one kept and reused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from torch import Tensor

from wsframework.config.building import build
from wsframework.config.sections import Config
from wsframework.device import check_precision, usable
from wsframework.engines.work import Work
from wsframework.events import Finished, Observer, Progress, silent
from wsframework.parts.interfaces import Architecture, Setting, TaskFamily
from wsframework.parts.registry import Registry
from wsframework.pipeline.curves import Curves
from wsframework.pipeline.finetune import finetune
from wsframework.pipeline.identity import Identity
from wsframework.pipeline.initialize import Initial, initialize, save_samples
from wsframework.pipeline.memorization import memorization
from wsframework.pipeline.pictures import SHOWN, Shown, all_finetuned, can_show, look
from wsframework.pipeline.several import best_on_support
from wsframework.pipeline.stage import Checkpoint, Checkpoints, StageCache, Staged
from wsframework.pipeline.together import lead
from wsframework.pipeline.train import train_prior
from wsframework.pipeline.trained import load_prior
from wsframework.pipeline.zoo import build_zoo, load_zoo, missing
from wsframework.prior import Prior
from wsframework.prior_config import Design
from wsframework.randomness import generator
from wsframework.store import load_json, save_json
from wsframework.tasks import Objective, Task, TaskSplits
from wsframework.zoo import Zoo
from wsframework.zoo_store import ZooStore
from wsframework.zoos.entries import note_tasks


class Run:
    """The stages of one config in one folder, each a cached property or a method, in the order of the data.

    Arguments:
        zoo_folder: where the zoo is kept, if not in ``out``: runs that differ later on can share it. Those that
            differ in ``tasks.seen`` must agree on the tasks that their networks are trained for.
    """

    def __init__(
        self,
        config: Config,
        registry: Registry,
        out: Path,
        device: str = "auto",
        observer: Observer = silent,
        zoo_folder: Path | None = None,
    ) -> None:
        self.config, self.registry, self.out, self.observer = config, registry, out, observer
        self.device = usable(device)
        check_precision(self.device, config.train.precision)
        self.family = cast(TaskFamily, build(registry, "task_family", config.tasks.part))
        self.architecture = cast(Architecture, build(registry, "architecture", config.network))
        self.space = self.architecture.space(self.family.shape)
        self.store = ZooStore(zoo_folder or out / "zoo")
        self.identity = Identity(config, registry, self.device, shares_zoo=zoo_folder is not None)
        self.cache = StageCache(out)
        self.cost: dict[str, dict[str, Any]] = {}

    @cached_property
    def splits(self) -> TaskSplits:
        """The tasks, drawn anew from the seed each time; never stored."""
        tasks = self.config.tasks
        return self.family.draw(tasks.seen, tasks.validation, tasks.held_out, generator(self.config.seed, "tasks"))

    @property
    def judged_whole(self) -> Sequence[Task]:
        """The tasks that initializers are judged on, with more support data than may be used."""
        return self.splits.held_out if self.config.tasks.judge == "held_out" else self.splits.validation

    @cached_property
    def judged(self) -> Sequence[Task]:
        """The same with the support data that may be used, for description, choice and fine-tuning alike."""
        support = self.config.finetune.support
        return [replace(task, support=task.support.limited(support)) for task in self.judged_whole]

    @property
    def objective(self) -> Objective:
        """The tasks' loss and metric."""
        return self.judged[0].objective

    @cached_property
    def zoo(self) -> Zoo:
        """The trained networks, block by block; blocks that are there already are kept."""
        section = self.config.zoo
        self.store.begin(self.space, self.identity.zoo_recipe)
        note_tasks(self.store.folder, self.splits.seen, self.identity.zoo_recipe)
        kept = not missing(self.store, section)
        for done in build_zoo(self.store, self.zoo_work, self.config.engine):
            self.observer(Progress("zoo", done, section.size, "networks"))
        seconds = self.store.seconds(range(-(-section.size // section.block)))
        self._finish("zoo", f"trained {section.size} networks for {section.epochs} epochs", seconds, kept)
        return load_zoo(self.store, self.splits.seen, section)

    @property
    def lacking(self) -> list[int]:
        """The zoo's blocks that are still to be trained."""
        if self.store.holds(self.space, self.identity.zoo_recipe):
            return missing(self.store, self.config.zoo)
        return list(range(-(-self.config.zoo.size // self.config.zoo.block)))

    @property
    def zoo_work(self) -> Work:
        """What an engine is given."""
        c = self.config
        return Work(self.registry, c.tasks, c.network, c.zoo, c.seed)

    @property
    def design(self) -> Design:
        """The prior's parts."""
        return self.identity.design

    @cached_property
    def prior(self) -> Prior:
        """The trained prior, as it reads back from its folder."""
        folder = self.out / "prior"
        checkpoint = Checkpoint(self.out / "checkpoints" / "prior.safetensors", self.identity.prior)
        staged = self.cache.stage(
            "prior",
            self.identity.prior,
            lambda: lead(self.config, self.registry, self.zoo, self.store, self.device, checkpoint, self.observer),
            lambda prior, _: prior.save(folder),
            lambda _: load_prior(folder, self.design, self.registry).to(self.device),
            checkpoint.spent(),
        )
        checkpoint.remove()
        self._note("prior", staged, f"trained the prior ({self.config.denoiser.use})")
        return staged.value

    def _train(
        self, name: str, checkpoint: Checkpoint | None, changes: Mapping[str, Any], design: Mapping[str, Any]
    ) -> Prior:
        """A prior of this run's recipe, but for ``changes`` to the train options and to the ``design``."""
        train = replace(self.config.train, **changes)
        return train_prior(
            replace(self.design, predict=train.predict, **design),
            self.registry,
            self.zoo,
            train,
            self.config.seed,
            device=self.device,
            name=name,
            checkpoint=checkpoint,
            observer=self.observer,
        )

    def initial(self, name: str) -> Initial:
        """The weights that the initializer ``name`` gives for the judged tasks."""
        checkpoints = Checkpoints(self.out / "checkpoints" / f"initialize-{name}", self.identity.initial(name))

        def save(initial: Initial, _: Path) -> None:
            if name == "prior" and not initial.reason:
                save_samples(self.space, self.judged, initial.x, self.out / "samples")
            initial.save(self.out / "initial" / f"{name}.safetensors")

        staged = self.cache.stage(
            f"initialize-{name}",
            self.identity.initial(name),
            lambda: initialize(name, self.config, self.registry, self.judged, lambda: self._setting(name, checkpoints)),
            save,
            lambda _: self.kept(name),
            checkpoints.spent(),
        )
        checkpoints.remove()
        self._note(f"initialize-{name}", staged, f"drew weights from {name}")
        return staged.value

    def kept(self, name: str) -> Initial:
        """The same, from the file that `initial` left."""
        return Initial.load(self.out / "initial" / f"{name}.safetensors")

    def _setting(self, name: str, checkpoints: Checkpoints) -> Setting:
        prior = self.prior
        return Setting(
            zoo=self.zoo,
            architecture=self.architecture,
            shape=self.family.shape,
            features=self.features.cpu(),
            describe=lambda tasks: prior.describe(tasks).cpu(),
            prior=prior,
            train_prior=lambda changes, design: self._train(name, checkpoints.of(changes, design), changes, design),
            generator=generator(self.config.seed, "fit", name),
        )

    @cached_property
    def features(self) -> Tensor:
        """Standardised descriptors of the seen tasks."""
        return self.prior.describe(self.splits.seen)

    def start(self, label: str, x: Tensor) -> Tensor:
        """What the curves called ``label`` begin with, of x (tasks, draws, size): the first draws, or the best."""
        sample = self.config.sample
        if " (best of " in label:
            return best_on_support(self.architecture, self.judged, x[:, : sample.best_of])
        return x[:, : sample.draws]

    def curves(self, name: str, x: Tensor) -> Curves:
        """What fine-tuning from x (tasks, draws, size) gives."""
        path = self.out / "curves" / f"{name}.safetensors"
        config = self.config

        staged = self.cache.stage(
            f"finetune-{name}",
            self.identity.curves(x),
            lambda: finetune(name, self.architecture, self.judged, x, config.finetune, config.seed),
            lambda curves, _: curves.save(path),
            lambda _: Curves.load(path),
        )
        self._note(f"finetune-{name}", staged, f"fine-tuned from {name}")
        return staged.value

    def audit(self, x: Tensor) -> dict[str, Any]:
        """Whether the prior's weights x (tasks, draws, size) are copies of the zoo's; empty where none is asked for."""
        path, c = self.out / "audit.json", self.config
        if not c.audit.samples or self.zoo.facts()["size"] < 2:
            return {}
        staged = self.cache.stage(
            "audit",
            self.identity.audit(x),
            lambda: memorization(self.architecture, self.judged, x, self.zoo, c.audit, c.seed),
            lambda found, _: save_json(path, found),
            lambda _: cast(dict[str, Any], load_json(path)),
        )
        self._note("audit", staged, "audited the prior's networks for copies of the zoo's")
        return staged.value

    def pictures(self, before: Mapping[str, Tensor]) -> list[Shown]:
        """What networks (tasks, size) of each initializer say of the first judged tasks, before and afterwards."""
        tasks, c, made_from = self.judged[:SHOWN], self.config, self.identity.pictures(before)
        if not before or not can_show(self.family, tasks):
            return []
        staged = all_finetuned(self.cache, made_from, self.architecture, tasks, before, c.finetune, c.seed)
        self._note("pictures", staged, "fine-tuned networks for pictures")
        return look(self.family, self.architecture, tasks, before, staged.value)

    def _note(self, stage: str, staged: Staged[Any], sentence: str) -> None:
        self._finish(stage, sentence, staged.seconds, staged.reused)

    def _finish(self, stage: str, sentence: str, seconds: float, reused: bool) -> None:
        self.cost[stage] = {"seconds": seconds}
        self.observer(Finished(stage, sentence, seconds, reused))
