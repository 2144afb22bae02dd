"""Testing of claims: by generated spaces, weights, symmetries and tasks, for parts and for functions of one's own.

``assert_equivariant(function, space)`` judges a function; `parametrize_with_checks` and `judge` try every promise
of a part; `wsframework.testing.strategies` and `task_strategies` generate what tests of one's own need.
"""

from wsframework.testing.check import Check, Inapplicable, Refuted
from wsframework.testing.equivariance import (
    TOLERANCES,
    assert_equivariant,
    assert_invariant,
    equivariance_error,
    invariance_error,
)
from wsframework.testing.subject import Subject
from wsframework.testing.suite import Finding, checks_of, judge, parametrize_with_checks

__all__ = [
    "TOLERANCES",
    "Check",
    "Finding",
    "Inapplicable",
    "Refuted",
    "Subject",
    "assert_equivariant",
    "assert_invariant",
    "checks_of",
    "equivariance_error",
    "invariance_error",
    "judge",
    "parametrize_with_checks",
]
