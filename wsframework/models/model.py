"""`Model`: what regressors and classifiers of networks have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, TypeVar

import torch
from torch import Tensor

from wsframework.config.building import Named, as_config
from wsframework.device import usable
from wsframework.errors import RequestError, StoreError
from wsframework.models.described import Described
from wsframework.models.given import Given, Networks
from wsframework.models.learning import learn
from wsframework.models.network import Reader, ReadingNetwork
from wsframework.models.recipe import Recipe
from wsframework.models.targets import Array, Targets, as_array
from wsframework.parts.entrypoints import load_registry
from wsframework.parts.registry import Registry
from wsframework.randomness import generator
from wsframework.spaces import WeightSpace
from wsframework.store import load_json, load_tensors, save_json, save_tensors

T = TypeVar("T", bound=Targets)
READ = 256
"""Networks at a time, where nothing is learned."""


class Model(ABC, Generic[T]):
    """Learns something of networks from their weights, whatever the order of their neurons.

    Arguments:
        body: the denoiser that reads the weights, by name or as a table ``{"use": NAME, option: value}``. One that
            claims to be equivariant is pooled over orbits, and the model is invariant; of another every number is read.
        features: a part that describes networks by vectors, which are read in place of what a body makes of them.
        network: for features that run networks, the architecture of these; the model is then fitted to a `Zoo`.
        seed: of initial parameters, minibatches and symmetries. Equal seeds give equal models.
        device: where to compute, ``"cpu"``, ``"cuda"``, or ``"auto"``.
        registry: where the body is looked up (default: every installed plugin).
        recipe: further keys, those of `Recipe`.

    Attributes:
        network: the trained `torch.nn.Module`.
        spaces: those of the networks that it was fitted to.
        losses: the mean training loss of each epoch.

    Raises:
        PartError: where there is no such body, there are no such features, or an option does not fit it.
        ConfigError: where a key of the recipe is unknown, or a value does not fit it.
    """

    kind: ClassVar[str]
    learns: type[T]
    network: Reader
    spaces: tuple[WeightSpace, ...] = ()
    targets: T
    losses: tuple[float, ...] = ()

    def __init__(
        self,
        body: Named = "functional",
        *,
        features: Named | None = None,
        network: Named | None = None,
        seed: int = 0,
        device: str = "cpu",
        registry: Registry | None = None,
        **recipe: Any,
    ) -> None:
        self.registry = registry or load_registry()
        self.body, self.seed, self.device = as_config(body), seed, usable(device)
        self.described = self._described(features, network)
        self.registry.get("denoiser", self.body.use)  # or a PartError
        self.recipe = Recipe.filled(recipe, self.registry)

    def _described(self, features: Named | None, network: Named | None) -> Described | None:
        if features is None:
            return None
        asked, known = as_config(features), None if network is None else as_config(network)
        self.registry.get("features", asked.use)  # or a PartError
        return Described(asked, known)

    @abstractmethod
    def predict(self, networks: Networks) -> Array:
        """What the model says of each network, in their order."""

    @abstractmethod
    def score(self, networks: Networks, targets: Any) -> float:
        """How good `predict` is, 1 at best."""

    def fit(self, networks: Networks, targets: Any) -> Self:
        """Learn from networks and their targets, one row each, in the order of the networks; returns the model.

        Arguments:
            networks: `Weights`, a `Zoo`, or a list of these where there are several spaces.
            targets: anything that numpy makes an array of, a tensor among them.

        Raises:
            RequestError: where networks or targets are not what a model can learn from.
            SpaceError: where the body does not serve a space of theirs.
        """
        given = Given.of(networks)
        given.check()
        rows = as_array(targets, len(given))
        self.targets, self.spaces = self.learns.of(rows), given.spaces
        self.described = self.described.seeing(given) if self.described else None
        cuda = [torch.cuda.current_device()] if self.device == "cuda" else []
        with torch.random.fork_rng(devices=cuda):  # layers draw from torch's own generators
            torch.manual_seed(generator(self.seed, "model", "parameters").initial_seed())
            self.network = self._built()
            rng = generator(self.seed, "model", "training")
            self.network.calibrate(given, rng)
            self.losses = learn(self.network, given, self.targets, self.targets.encode(rows), self.recipe, rng)
        return self

    def _built(self) -> Reader:
        outputs = self.targets.outputs
        if self.described:
            return self.described.reader(self.spaces, outputs, self.recipe, self.registry).to(self.device)
        return ReadingNetwork(self.body, self.spaces, outputs, self.recipe, self.registry).to(self.device)

    @torch.no_grad()
    def outputs(self, networks: Networks) -> Tensor:
        """The outputs of the trained network for each of ``networks``, (networks, outputs).

        Raises:
            RequestError: before `fit`, or where weights are no numbers.
            SpaceError: where networks are of a space that the model can't read.
        """
        if not self.spaces:
            raise RequestError(f"this {self.kind} knows nothing yet: call fit first, or load one that was saved")
        given = Given.of(networks)
        given.check()
        return torch.cat([self.network(batch.x, batch.space).cpu() for batch in given.batches(READ)])

    def save(self, folder: Path | str) -> None:
        """config.json and model.safetensors.

        Raises:
            RequestError: before `fit`.
        """
        if not self.spaces:
            raise RequestError(f"this {self.kind} knows nothing yet, and there is nothing to save: call fit first")
        config = {
            "model": self.kind,
            "body": asdict(self.body),
            "described": self.described.kept() if self.described else None,
            "recipe": asdict(self.recipe),
            "seed": self.seed,
            "spaces": [str(space) for space in self.spaces],
            "targets": asdict(self.targets),  # type: ignore[call-overload]
            "losses": self.losses,
        }
        save_tensors(Path(folder) / "model.safetensors", self.network.state_dict())
        save_json(Path(folder) / "config.json", config)

    @classmethod
    def load(cls, folder: Path | str, *, device: str = "cpu", registry: Registry | None = None) -> Self:
        """The model that `save` wrote.

        Raises:
            StoreError: where a file is missing or damaged, or is of another kind of model.
        """
        path = Path(folder) / "config.json"
        config = load_json(path)
        try:
            if config["model"] != cls.kind:
                raise StoreError(f"{path}: this is a {config['model']}, not a {cls.kind}; load it as what it is")
            body = {"use": config["body"]["use"], **config["body"]["options"]}
            model = cls(body, seed=config["seed"], device=device, registry=registry, **config["recipe"])
            spaces = tuple(WeightSpace.parse(text) for text in config["spaces"])
            model.described = Described.restored(config["described"]) if config.get("described") else None
            model.targets, model.losses = cls.learns.restored(config["targets"]), tuple(config["losses"])
        except (KeyError, TypeError) as error:
            raise StoreError(f"{path}: this is not what this version says of a model ({error})") from None
        model._restore(spaces, Path(folder) / "model.safetensors")
        return model

    def _restore(self, spaces: tuple[WeightSpace, ...], path: Path) -> None:
        """Take over what was learned, from the file of tensors."""
        self.spaces = spaces
        tensors, _ = load_tensors(path)
        with torch.random.fork_rng(devices=[]):
            self.network = self._built().eval()
        try:
            self.network.load_state_dict(tensors)
        except RuntimeError as error:
            raise StoreError(
                f"{path}: the tensors do not fit the body that config.json names ({str(error).splitlines()[0]}); "
                "was it written by another version of it?"
            ) from None
