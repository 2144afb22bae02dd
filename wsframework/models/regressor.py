"""`Regressor`: numbers from weights."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from wsframework.errors import RequestError
from wsframework.models.given import Networks
from wsframework.models.model import Model
from wsframework.models.targets import Array, Numbers, as_array


class Regressor(Model[Numbers]):
    """Predicts a number of each network, such as its accuracy, or several: see `Model` for the arguments."""

    kind: ClassVar[str] = "regressor"
    learns = Numbers

    def predict(self, networks: Networks) -> Array:
        """A number for each network, (networks,), or several, (networks, numbers), as the targets had."""
        outputs = self.outputs(networks)
        return self.targets.decode(outputs)

    def score(self, networks: Networks, targets: Any) -> float:
        """R^2, the share of the targets' variance that predictions explain; averaged over several numbers.

        Raises:
            RequestError: where targets have another form than those of `fit`, or do not vary.
        """
        found = self.predict(networks)
        wanted = as_array(targets, len(found))
        if wanted.shape != found.shape:
            raise RequestError(f"targets have shape {wanted.shape}, and the predictions {found.shape}")
        variance = wanted.var(0)
        if not np.all(variance > 0):
            raise RequestError("the targets do not vary, and there is no variance to explain")
        return float(np.mean(1 - np.square(found - wanted).mean(0) / variance))
