"""`NormalisedNetworks`: what architectures with batch normalisation have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

from torch import Tensor

from wsf_networks import batch_norm
from wsf_networks.batch_norm import Norm
from wsframework.parts.interfaces import Architecture
from wsframework.tasks import TaskShape


class NormalisedNetworks(Architecture):
    """Networks on images that may have batch norms: one computation, whose norms are by kept statistics or by new."""

    @abstractmethod
    def _run(self, parameters: Mapping[str, Tensor], inputs: Tensor, norm: Norm) -> Tensor:
        """Inputs (networks, points, channels, height, width) to outputs (networks, points, outputs)."""

    def apply(self, shape: TaskShape, parameters: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
        """Channels normalised by what each network keeps: inputs (networks, points, channels, height, width)."""
        return self._run(parameters, inputs, batch_norm.by_kept(parameters))

    def apply_training(self, shape: TaskShape, parameters: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
        """`apply`, with channels normalised by the statistics of these inputs."""
        return self._run(parameters, inputs, batch_norm.by_inputs(parameters))

    def calibrate(self, shape: TaskShape, x: Tensor, inputs: Tensor) -> Tensor:
        """The running means and biased variances of these inputs."""
        return batch_norm.calibrated(self.space(shape), x, lambda p, norm: self._run(p, inputs, norm))
