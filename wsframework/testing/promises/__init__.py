"""What each interface promises, one module a kind: the cases it is tried on, and a law for each promise."""

from wsframework.testing.promises import (
    architecture,
    conditioner,
    denoiser,
    encoder,
    features,
    initializer,
    part,
    scheduler,
    task_family,
)

MODULES = (architecture, conditioner, denoiser, encoder, features, initializer, part, scheduler, task_family)

CHECKS = {check.kind: module.CHECKS for module in MODULES for check in module.CHECKS}
"""The checks of each kind of part, and under "part" those of every kind."""
