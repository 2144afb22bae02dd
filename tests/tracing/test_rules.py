"""Each rule by itself: operands moved by the group that it leaves move the operator's result as it says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from elements import act, assert_moved, random_element, sizes
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import SAMPLES, Draw, Given, Known, Moved, Sample
from torch import Tensor

from wsframework.tracing.facts import Facts
from wsframework.tracing.forms import Forms
from wsframework.tracing.labelling import label_state
from wsframework.tracing.labels import Labels, fixed, of_constant
from wsframework.tracing.rules import RULES, Call, Operand
from wsframework.tracing.rules.elementwise import DEGREES
from wsframework.tracing.rules.reduction import DEGREES as REDUCED
from wsframework.tracing.solving import Solution, solve
from wsframework.tracing.verbs import move

EXAMPLES = 2
SIZES = st.lists(st.integers(2, 4), min_size=5, max_size=5)
SEEDS = st.integers(0, 2**32 - 1)


def pytest_id(entry: Any) -> str:
    name, case, _ = entry
    return f"{name}, {case}" if case else name


class Trial:
    """One sample under its rule."""

    def __init__(self, name: str, sample: Sample) -> None:
        self.sample = sample
        self.facts = Facts(Forms(), "a sample")
        self.bases: dict[Moved, Labels] = {}
        args, kwargs = self.operands(list(sample.args)), self.operands(dict(sample.kwargs))
        self.result = self.apply(None)
        self.answer = RULES[name](Call(self.facts, name, sample.target, args, kwargs, self.result, sample.used))
        self.solution: Solution = solve(self.facts)

    def operands(self, value: Any) -> Any:
        """The arguments, tensors as operands with labels."""
        match value:
            case Moved():
                if value not in self.bases:
                    name = f"operand {len(self.bases)}"
                    separate = {(name, axis): groups for axis, groups in value.separate.items()}
                    self.bases[value] = label_state(self.facts, {name: value.base}, separate)[name]
                positions = value.view(torch.arange(value.base.numel()).reshape(value.base.shape))
                return Operand(value.view(value.base), move(self.facts, self.bases[value], positions))
            case Given():
                return Operand(value.base, fixed(value.base.shape))
            case Known():
                return Operand(value.base, of_constant(value.base), constant=True)
            case list():
                return [self.operands(v) for v in value]
            case dict():
                return {k: self.operands(v) for k, v in value.items()}
        return value

    def apply(self, element: Any) -> Any:
        """The operator's result, with operands moved by ``element``."""

        def plain(value: Any) -> Any:
            match value:
                case Moved():
                    base = value.base if element is None else act(element, self.bases[value], value.base)
                    return value.view(base.clone())
                case Given() | Known():
                    return value.base.clone()
                case list():
                    return [plain(v) for v in value]
            return value

        return self.sample.target(*(plain(a) for a in self.sample.args), **self.sample.kwargs)

    def holds(self, generator: torch.Generator) -> None:
        """Demand that elements of the group move the result by its labels, and that the group is the one expected."""
        expected = [dim if isinstance(dim, tuple) else (dim,) for dim in self.sample.dims]
        assert sizes(self.solution) == sorted(dim for dim in expected if dim[0] > 1)
        for _ in range(2):
            element = random_element(self.solution, generator)
            moved = self.apply(element)
            for labels, before, after in zip(*self.tensors(moved), strict=True):
                assert_moved(element, labels, before, after)

    def tensors(self, moved: Any) -> tuple[Sequence[Labels], Sequence[Tensor], Sequence[Tensor]]:
        """Labels, result and moved result of each tensor that is used; one without labels is said to stay."""
        if isinstance(self.result, Tensor):
            return [self.answer], [self.result], [moved]  # type: ignore[list-item]
        answers = self.answer if isinstance(self.answer, Sequence) else [None] * len(self.result)
        labels = [a or fixed(r.shape) for a, r in zip(answers, self.result, strict=True)]
        used = range(len(labels)) if self.sample.used is None else sorted(self.sample.used)
        return [labels[k] for k in used], [self.result[k] for k in used], [moved[k] for k in used]


def trial(entry: Any, sizes: Sequence[int], seed: int) -> None:
    name, _, make = entry
    generator = torch.Generator().manual_seed(seed)
    Trial(name, make(Draw(list(sizes), generator))).holds(generator)


@pytest.mark.parametrize("entry", SAMPLES, ids=pytest_id)
@settings(max_examples=EXAMPLES)
@given(sizes=SIZES, seed=SEEDS)
def test_rule(entry: Any, sizes: list[int], seed: int) -> None:
    trial(entry, sizes, seed)


def test_every_rule_has_a_sample() -> None:
    assert {name for name, *_ in SAMPLES} == set(RULES)


OF_TRANSFORMERS = {"grouped_mm_fallback"}
"""Operators that the library of that name adds to torch."""


@pytest.mark.parametrize("name", sorted(RULES.keys() - OF_TRANSFORMERS))
def test_rules_are_of_operators_that_exist(name: str) -> None:
    assert hasattr(torch.ops.aten, name)


FACTORS = {"scale": 3.7, "sign": -1.0}
WITH_DEGREE = [
    pytest.param(make, FACTORS[gauge], degree, id=f"{pytest_id((name, case, make))}, {gauge}")
    for table in (DEGREES, REDUCED)
    for name, case, make in SAMPLES
    for gauge, degree in zip(FACTORS, table.get(name, (None, None)), strict=True)
    if degree is not None and case != "by a tensor"
]


@pytest.mark.parametrize(("make", "factor", "degree"), WITH_DEGREE)
def test_degrees(make: Any, factor: float, degree: Any) -> None:
    """``f(s x) = s**k f(x)``."""
    sample = make(Draw([2, 3, 4, 2, 3], torch.Generator().manual_seed(0)))
    x, *rest = [a.view(a.base) if isinstance(a, Moved) else a.base if isinstance(a, Known) else a for a in sample.args]
    before, after = (sample.target(y, *rest, **sample.kwargs) for y in (x, factor * x))
    if isinstance(before, (tuple, list)):
        before, after = before[0], after[0]
    torch.testing.assert_close(after.double(), before.double() * factor ** float(degree), rtol=1e-5, atol=1e-9)
