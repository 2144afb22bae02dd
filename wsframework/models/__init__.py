"""Models that read networks: `Regressor` predicts numbers from weights, `Classifier` classes."""

from wsframework.models.classifier import Classifier
from wsframework.models.regressor import Regressor

__all__ = ["Classifier", "Regressor"]
