"""Wrong rules are caught twice: by the property of rules, and by the verification of what was traced."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from samples import SAMPLES
from test_rules import trial
from wrong_rules import MUTANTS, Mutant

from wsframework.errors import TraceError
from wsframework.tracing import rules, trace

FAMILIES = {
    "attention", "contraction", "convolution", "elementwise", "lookup", "movement", "normalisation", "positional",
    "recurrence", "reduction",
}  # fmt: skip


def named(mutant: Mutant) -> str:
    return mutant.rule.__name__


def replace(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in mutant.operators:
        monkeypatch.setitem(rules.RULES, name, mutant.rule)


def test_every_family_has_a_mutant() -> None:
    assert {mutant.family for mutant in MUTANTS} == FAMILIES


@pytest.mark.parametrize("mutant", MUTANTS, ids=named)
def test_caught_by_the_property(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    replace(mutant, monkeypatch)
    for operator in mutant.operators:
        assert not all(holds(entry) for entry in SAMPLES if entry[0] == operator)


def holds(entry: Any) -> bool:
    try:
        trial(entry, [2, 3, 4, 3, 2], 0)
    except AssertionError:
        return False
    return True


@pytest.mark.slow
@pytest.mark.parametrize("mutant", MUTANTS, ids=named)
def test_caught_by_the_verification(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    module, args = mutant.network()
    right = trace(module, args)
    assert right.parameters
    replace(mutant, monkeypatch)
    with pytest.raises(TraceError, match=r"verification: .*'.*' alone do"):
        trace(module, args)
