"""Packages of the extra `data`, which bring the examples of some families."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from wsframework.errors import RequestError


def extra(module: str, family: str) -> Any:
    """The module.

    Raises:
        RequestError: where its package is not installed, with how to install it.
    """
    try:
        return import_module(module)
    except ImportError:
        package = module.split(".")[0]
        raise RequestError(
            f"the examples of {family!r} come with the package {package!r}, which is not installed; "
            f"`pip install {package}` or `pip install 'wsframework[data]'` does so"
        ) from None
