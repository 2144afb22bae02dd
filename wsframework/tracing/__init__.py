"""Symmetry found: from any module to its verified weight space."""

from wsframework.tracing.tracing import Trace, examine, trace

__all__ = ["Trace", "examine", "trace"]
