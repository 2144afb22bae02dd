"""`Part`: what all interfaces have in common."""

from __future__ import annotations

import inspect
from abc import ABC
from typing import ClassVar, Literal

from wsframework.spaces.notation import Gauge

Claim = Literal["equivariant", "invariant"]


class Part(ABC):
    """Anything that a run is composed of.

    Attributes:
        kind: the interface, in snake case; set by each interface.
        name: what a config writes after ``use =``.
        paper: where the method comes from ("Ho et al. 2020, arXiv:2006.11239"), or empty.
        symmetry: what the part claims of its map; `wsframework.testing` proves or refutes it. That of an instance may
            depend on its options.
        gauges: the kinds of gauges that it claims to be equivariant to as well, "sign" and "scale"; likewise.
    """

    kind: ClassVar[str]
    name: ClassVar[str]
    paper: ClassVar[str] = ""
    symmetry: Claim | None = None
    gauges: tuple[Gauge, ...] = ()

    @classmethod
    def options(cls) -> dict[str, inspect.Parameter]:
        """The options a user may set: the keyword-only arguments of the constructor."""
        signature = inspect.signature(cls)
        return {n: p for n, p in signature.parameters.items() if p.kind is inspect.Parameter.KEYWORD_ONLY}
