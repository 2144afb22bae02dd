"""The one hook through which every part enters, built in or third party."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from wsframework.parts.interfaces import Part

PROJECT = "wsframework"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def wsf_parts() -> Iterable[type[Part]]:  # type: ignore[empty-body]
    """The part classes of a plugin.

    A plugin is a module named by an entry point of the group ``wsframework``; it marks a function of this
    name with `hookimpl`. Imports of the parts belong inside the function: they happen on first use. The
    parts of one plugin are registered all together, or, where one of them has a fault, not at all.
    """
