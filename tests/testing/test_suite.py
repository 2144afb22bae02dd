"""The suite is tested with wrong parts: each check is failed by its mutants, and by nobody who keeps its promise."""

from __future__ import annotations

import pytest
from mutants import HONEST, MUTANTS
from tiny import REGISTRY

from wsframework.errors import RequestError
from wsframework.parts.interfaces import INTERFACES, Part
from wsframework.testing import Subject, checks_of, judge, parametrize_with_checks
from wsframework.testing.check import Check, Refuted
from wsframework.testing.promises import CHECKS

EXAMPLES = 8


def _own() -> dict[str, tuple[type[Part], Check]]:
    """Of each check, the first mutant that breaks it and nothing else."""
    first: dict[str, tuple[type[Part], Check]] = {}
    for part, broken in MUTANTS:
        for check in checks_of(part):
            if broken == {check.name}:
                first.setdefault(f"{part.kind}-{check}", (part, check))
    return first


OWN = _own()


def subject(part: type[Part]) -> Subject:
    return Subject(part, examples=EXAMPLES, registry=REGISTRY)


def refuted(part: type[Part]) -> set[str]:
    return {finding.check for finding in judge(subject(part)) if finding.verdict == "refuted"}


@pytest.mark.parametrize(("part", "check"), OWN.values(), ids=OWN)
def test_a_check_refutes_a_mutant_of_its_own(part: type[Part], check: Check) -> None:
    with pytest.raises(Refuted):
        check(subject(part))


@pytest.mark.slow
@pytest.mark.parametrize(("part", "broken"), MUTANTS, ids=[f"{part.kind}-{part.__name__}" for part, _ in MUTANTS])
def test_a_mutant_fails_the_checks_that_it_breaks_and_no_other(part: type[Part], broken: frozenset[str]) -> None:
    assert refuted(part) == broken


@pytest.mark.parametrize("part", HONEST, ids=[p.__name__ for p in HONEST])
def test_an_honest_part_passes(part: type[Part]) -> None:
    assert refuted(part) == set()


def test_every_check_has_a_mutant_of_its_own() -> None:
    caught = {(part.kind, *broken) for part, broken in MUTANTS if len(broken) == 1}
    for kind, checks in CHECKS.items():
        for check in checks:
            kinds = INTERFACES if kind == "part" else (kind,)
            assert any((k, check.name) in caught for k in kinds), f"{kind}: {check}"


def test_every_kind_has_an_honest_part() -> None:
    assert {part.kind for part in HONEST} == set(INTERFACES)


def test_an_expected_failure_of_no_check_is_refused() -> None:
    with pytest.raises(RequestError, match="did you mean 'claim'"):
        parametrize_with_checks(HONEST[:1], expected_failures={"clame": "a slip of the pen"})


def test_an_expected_failure_does_not_skip_where_the_check_does_not_apply() -> None:
    scheduler = next(part for part in HONEST if part.kind == "scheduler")
    silent = type("Silent", (scheduler,), {"name": "silent", "__doc__": "A scheduler.", "__init__": _declines})
    subject = Subject(silent, registry=REGISTRY)
    (place,) = [k for k, check in enumerate(checks_of(subject)) if check.name == "begins"]
    for expected in (True, False):
        mark = parametrize_with_checks([subject], expected_failures={"begins": "it was to"} if expected else None)
        check = mark.args[1][place].values[1]
        if expected:
            check(subject)  # passes, which is a failure where a failure is expected
        else:
            with pytest.raises(pytest.skip.Exception):
                check(subject)


def _declines(self: object) -> None:
    raise RequestError("not today")
