"""Neural-network weights as data: zoos, symmetries, task-conditioned weight diffusion, honest baselines.

The public names, each imported on first use: ``import wsframework`` alone imports no torch.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wsframework.alignment import align, augment, barrier, canonical, match_activations, mix_up, quotient_distance
    from wsframework.config.reading import read_config
    from wsframework.models import Classifier, Regressor
    from wsframework.own_data import read_task
    from wsframework.parts.entrypoints import load_registry
    from wsframework.parts.interfaces import (
        Architecture,
        Denoiser,
        Features,
        Initializer,
        Part,
        Scheduler,
        TaskConditioner,
        TaskFamily,
        WeightEncoder,
    )
    from wsframework.pipeline.ablate import ablate
    from wsframework.pipeline.in_memory import fit_prior, train_zoo
    from wsframework.pipeline.run import run
    from wsframework.pipeline.run_mixed import run_mixed
    from wsframework.prior import Prior
    from wsframework.spaces import (
        Symmetry,
        Weights,
        WeightSpace,
        from_data,
        neural_graph,
        neuron_tokens,
        pooled_tokens,
        to_data,
    )
    from wsframework.tasks import Data, Task, TaskShape
    from wsframework.tracing import trace
    from wsframework.zoo import Zoo
    from wsframework.zoos import load_zoo

_INTERFACES = "wsframework.parts.interfaces"

_HOMES: dict[str, str] = {
    "Architecture": _INTERFACES,
    "Classifier": "wsframework.models",
    "Data": "wsframework.tasks",
    "Denoiser": _INTERFACES,
    "Features": _INTERFACES,
    "Initializer": _INTERFACES,
    "Part": _INTERFACES,
    "Prior": "wsframework.prior",
    "Regressor": "wsframework.models",
    "Scheduler": _INTERFACES,
    "Symmetry": "wsframework.spaces",
    "Task": "wsframework.tasks",
    "TaskConditioner": _INTERFACES,
    "TaskFamily": _INTERFACES,
    "TaskShape": "wsframework.tasks",
    "WeightEncoder": _INTERFACES,
    "WeightSpace": "wsframework.spaces",
    "Weights": "wsframework.spaces",
    "Zoo": "wsframework.zoo",
    "ablate": "wsframework.pipeline.ablate",
    "align": "wsframework.alignment",
    "augment": "wsframework.alignment",
    "barrier": "wsframework.alignment",
    "canonical": "wsframework.alignment",
    "fit_prior": "wsframework.pipeline.in_memory",
    "from_data": "wsframework.spaces",
    "load_registry": "wsframework.parts.entrypoints",
    "load_zoo": "wsframework.zoos",
    "match_activations": "wsframework.alignment",
    "mix_up": "wsframework.alignment",
    "neural_graph": "wsframework.spaces",
    "neuron_tokens": "wsframework.spaces",
    "pooled_tokens": "wsframework.spaces",
    "quotient_distance": "wsframework.alignment",
    "read_config": "wsframework.config.reading",
    "read_task": "wsframework.own_data",
    "run": "wsframework.pipeline.run",
    "run_mixed": "wsframework.pipeline.run_mixed",
    "to_data": "wsframework.spaces",
    "trace": "wsframework.tracing",
    "train_zoo": "wsframework.pipeline.in_memory",
}

__version__ = version("wsframework")

__all__ = [
    "Architecture",
    "Classifier",
    "Data",
    "Denoiser",
    "Features",
    "Initializer",
    "Part",
    "Prior",
    "Regressor",
    "Scheduler",
    "Symmetry",
    "Task",
    "TaskConditioner",
    "TaskFamily",
    "TaskShape",
    "WeightEncoder",
    "WeightSpace",
    "Weights",
    "Zoo",
    "__version__",
    "ablate",
    "align",
    "augment",
    "barrier",
    "canonical",
    "fit_prior",
    "from_data",
    "load_registry",
    "load_zoo",
    "match_activations",
    "mix_up",
    "neural_graph",
    "neuron_tokens",
    "pooled_tokens",
    "quotient_distance",
    "read_config",
    "read_task",
    "run",
    "run_mixed",
    "to_data",
    "trace",
    "train_zoo",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'wsframework' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
