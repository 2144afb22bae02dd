"""Modules put together at random: the tracer finds what their grammar says, and its finding holds."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from test_corpus import chains

from wsframework.spaces import WeightSpace
from wsframework.testing.architectures import KnownModule, modules
from wsframework.tracing import examine


@settings(max_examples=3, suppress_health_check=[HealthCheck.too_slow])
@given(modules())
def test_the_group_is_the_one_of_the_grammar(known: KnownModule) -> None:
    found = examine(known.module, known.args)
    assert tuple(sizes for sizes, _ in chains(found.space)) == tuple(sorted(known.dims, key=str))
    assert found.error <= 1e-12
    assert WeightSpace.parse(str(found.space)) == found.space
