"""`Classifier`: classes from weights."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from wsframework.models.given import Networks
from wsframework.models.model import Model
from wsframework.models.targets import Array, Classes, as_array


class Classifier(Model[Classes]):
    """Tells what class each network is of, such as the digit that it represents: see `Model` for the arguments."""

    kind: ClassVar[str] = "classifier"
    learns = Classes

    @property
    def classes(self) -> Array:
        """The classes, sorted: the columns of `predict_proba`."""
        return np.asarray(self.targets.names)

    def predict(self, networks: Networks) -> Array:
        """The most likely class of each network, (networks,)."""
        outputs = self.outputs(networks)
        return self.targets.decode(outputs)

    def predict_proba(self, networks: Networks) -> Array:
        """How likely each class is, (networks, classes)."""
        found: Array = self.outputs(networks).double().softmax(-1).numpy()
        return found

    def score(self, networks: Networks, targets: Any) -> float:
        """Accuracy, the share of networks whose class is told right."""
        found = self.predict(networks)
        return float(np.mean(found == as_array(targets, len(found))))
