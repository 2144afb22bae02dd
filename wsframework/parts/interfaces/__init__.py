"""The interfaces that plugins fill. A `Part` is a class with a name, a kind, options and claims.

The star divides a constructor: left of ``*`` stands what the framework gives, right of it what the user
may set in TOML, annotated and with a default. The signature is the schema.
"""

from wsframework.parts.interfaces.architecture import Architecture
from wsframework.parts.interfaces.diffusion import (
    Answers,
    Denoise,
    Denoiser,
    Scheduler,
    TaskConditioner,
    WeightEncoder,
)
from wsframework.parts.interfaces.features import Features
from wsframework.parts.interfaces.initializer import Initializer, Setting
from wsframework.parts.interfaces.part import Claim, Part
from wsframework.parts.interfaces.task_family import TaskFamily

__all__ = [
    "INTERFACES",
    "Answers",
    "Architecture",
    "Claim",
    "Denoise",
    "Denoiser",
    "Features",
    "Initializer",
    "Part",
    "Scheduler",
    "Setting",
    "TaskConditioner",
    "TaskFamily",
    "WeightEncoder",
]

INTERFACES: dict[str, type[Part]] = {
    interface.kind: interface
    for interface in (
        Architecture,
        TaskFamily,
        WeightEncoder,
        TaskConditioner,
        Scheduler,
        Denoiser,
        Initializer,
        Features,
    )
}
