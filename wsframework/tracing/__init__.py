"""Symmetry found: from any module to its verified weight space."""

from wsframework.tracing.tracing import examine, trace

__all__ = ["examine", "trace"]
