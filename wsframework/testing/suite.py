"""The suite: every check of a part, from Python and from pytest."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from wsframework.errors import RequestError, nearest
from wsframework.parts.interfaces import Part
from wsframework.testing.check import Check, Inapplicable, Refuted
from wsframework.testing.promises import CHECKS
from wsframework.testing.subject import Subject

Verdict = Literal["holds", "refuted", "does not apply"]


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes:
        part: the part, with its options.
        verdict: whether its promise holds, as far as was tried.
        detail: the case that refutes it, or why the check does not apply; empty where the promise holds.
        raised: where the part raised an exception instead: its class, and where; else empty.
    """

    part: str
    kind: str
    check: str
    promise: str
    verdict: Verdict
    detail: str
    seconds: float
    raised: str = ""


def checks_of(part: type[Part] | Subject) -> tuple[Check, ...]:
    """The checks that ``part`` has to pass."""
    kind = part.part.kind if isinstance(part, Subject) else part.kind
    return (*CHECKS["part"], *CHECKS[kind])


def judge(part: type[Part] | Subject) -> Iterator[Finding]:
    """Try every check on ``part``; one that can't even be registered is tried no further."""
    subject = part if isinstance(part, Subject) else Subject(part)
    for check in checks_of(subject):
        finding = _finding(subject, check)
        yield finding
        if finding.check == "registers" and finding.verdict == "refuted":
            return


def _finding(subject: Subject, check: Check) -> Finding:
    begun = time.perf_counter()
    verdict: Verdict = "holds"
    detail = raised = ""
    try:
        check(subject)
    except Refuted as refutation:
        verdict, detail, raised = "refuted", str(refutation), refutation.raised
    except Inapplicable as reason:
        verdict, detail = "does not apply", str(reason)
    seconds = time.perf_counter() - begun
    return Finding(str(subject), subject.part.kind, check.name, check.promise, verdict, detail, seconds, raised)


def parametrize_with_checks(
    parts: Sequence[type[Part] | Subject], *, expected_failures: Mapping[str, str] | None = None
) -> Any:
    """A pytest decorator: the test runs once for each part and each of its checks.

    >>> @parametrize_with_checks([])
    ... def test_compliance(part, check):
    ...     check(part)

    A check that does not apply skips, with the reason.

    Arguments:
        parts: part classes, or subjects where options or spaces are to be set.
        expected_failures: by the name of a check, why it is known to fail; it has to, and to apply.

    Raises:
        RequestError: where no part has a check of such a name.
    """
    import pytest

    known = expected_failures or {}
    subjects = [part if isinstance(part, Subject) else Subject(part) for part in parts]
    _refuse_unknown(known, [check.name for subject in subjects for check in checks_of(subject)])
    rows = []
    for subject in subjects:
        for check in checks_of(subject):
            expected = check.name in known
            marks = [pytest.mark.xfail(reason=known[check.name], raises=Refuted, strict=True)] if expected else []
            rows.append(pytest.param(subject, _Skipping(check, expected), marks=marks, id=f"{subject}-{check}"))
    return pytest.mark.parametrize(("part", "check"), rows)


def _refuse_unknown(expected: Mapping[str, str], names: Sequence[str]) -> None:
    """Raises: RequestError where a failure is expected of a check that none of the parts has."""
    for name in expected:
        if names and name not in names:
            raise RequestError(f"expected_failures: these parts have no check {name!r}{nearest(name, set(names))}")


@dataclass(frozen=True)
class _Skipping:
    """A check that skips a test where it does not apply; where it was to fail, the test does not fail, as it should."""

    check: Check
    expected: bool

    def __call__(self, part: type[Part] | Subject) -> None:
        import pytest

        try:
            self.check(part)
        except Inapplicable as reason:
            if not self.expected:
                pytest.skip(str(reason))
