"""How a model is trained: what `Regressor` and `Classifier` take as further keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, cast

from wsframework.config.filling import Filling, keys_of
from wsframework.config.sections import Count, Rate, Weight
from wsframework.errors import ConfigError
from wsframework.parts.registry import Registry
from wsframework.parts.values import Least, Most


@dataclass(frozen=True)
class Recipe:
    """AdamW on minibatches of networks of one space, the rate rising at first and then along half a cosine to 0.

    Attributes:
        epochs: passes over the networks.
        batch: networks a step.
        lr: the highest rate.
        weight_decay: that of AdamW.
        hidden: neurons of the read-out's hidden layer.
        dropout: of what the read-out reads, and of its hidden layer.
        augment: what moves the networks of every minibatch: nothing, random permutations, or random elements of the
            whole group, with signs and scales.
    """

    epochs: Count = 50
    batch: Count = 32
    lr: Rate = 0.002
    weight_decay: Weight = 0.01
    hidden: Count = 64
    dropout: Annotated[float, Least(0), Most(1, strict=True)] = 0.0
    augment: Literal["none", "permutations", "group"] = "none"

    @classmethod
    def filled(cls, table: Mapping[str, Any], registry: Registry) -> Recipe:
        """The recipe with the keys of ``table``, checked.

        Raises:
            ConfigError: with every key that is unknown, and every value that does not fit.
        """
        filling, section = Filling(registry), cast(type, cls)
        values = filling.keys(keys_of(section), table, "model")
        if filling.mistakes:
            raise ConfigError("the model's keys", filling.mistakes)
        return cls(**values)
