"""`Check`: a promise of an interface, tried on generated cases and refuted by the smallest that breaks it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

import torch
from hypothesis import HealthCheck, Phase, given, reject, settings
from hypothesis.errors import Flaky, Unsatisfiable
from hypothesis.strategies import SearchStrategy

from wsframework.errors import WsfError
from wsframework.parts.interfaces import Part
from wsframework.testing.equivariance import TOLERANCES
from wsframework.testing.raised import Raised
from wsframework.testing.subject import Subject

PATIENCE = 60
"""How many cases a part may decline, one after the other, before it is taken to decline them all."""


class Refuted(AssertionError):
    """A part does not keep a promise; the sentence says which, and the smallest case in which it was seen.

    Attributes:
        raised: where the part raised an exception instead: its class, and where; else empty.
    """

    def __init__(self, sentence: str, raised: str = "") -> None:
        super().__init__(sentence)
        self.raised = raised


class Inapplicable(Exception):
    """A check has nothing to say of a part; the sentence says why."""


class Refusal(Exception):
    """The part declined a case in a sentence, as it may: another is tried."""


class Case(Protocol):
    """What a law is tried on: all that was generated, told by ``str``."""

    @property
    def seed(self) -> int:
        """Of everything random in the case."""
        ...


def _none(_: Subject) -> Sequence[Any]:
    """No case."""
    return ()


@dataclass(frozen=True)
class Check:
    """A promise of every part of one kind.

    Attributes:
        kind: the kind of part, or "part" where all kinds promise it.
        name: unique within the kind.
        promise: one sentence.
        cases: the cases on which a subject is tried.
        law: raises AssertionError, or anything else, where the promise is broken on a case.
        may_decline_all: whether a part may decline every case; else it serves nothing, and is refuted.
        further: cases that are seldom or never generated; tried last, because they are not the smallest.
    """

    kind: str
    name: str
    promise: str
    cases: Callable[[Subject], SearchStrategy[Any]]
    law: Callable[[Any], None]
    may_decline_all: bool = True
    further: Callable[[Subject], Sequence[Any]] = _none

    def __str__(self) -> str:
        return self.name

    def __call__(self, part: type[Part] | Subject) -> None:
        """Try the promise on ``part``.

        Raises:
            Refuted: with the smallest case found in which it is broken.
            Inapplicable: where the part declined every case, or has not made the promise.
            PartError: where the subject's options do not fit it.
        """
        subject = part if isinstance(part, Subject) else Subject(part)
        if self.kind != "part":
            _ = subject.config  # options that do not fit are a mistake of whoever asks, not of the part
        refusals: list[str] = []
        served = False

        def one(case: Any) -> None:
            nonlocal served
            if not served and len(refusals) >= PATIENCE:
                return
            if not self._serves(subject, case, refusals):
                reject()
            served = True

        try:
            _settings(subject.examples)(given(self.cases(subject))(one))()
        except Unsatisfiable:
            pass
        except Flaky:
            raise Refuted(f"{subject}: {self.promise} It does at one call, and not at the next alike.") from None
        for case in self.further(subject):
            served = self._serves(subject, case, refusals) or served
        if not served:
            self._declined(subject, refusals[-1] if refusals else "no case suits it")

    def _serves(self, subject: Subject, case: Case, refusals: list[str]) -> bool:
        """Whether the part answers in this case, as it should; that it declines it goes to ``refusals``."""
        try:
            self._judge(subject, case)
        except Refusal as refusal:
            refusals.append(str(refusal))
            return False
        return True

    def _declined(self, subject: Subject, why: str) -> NoReturn:
        if self.may_decline_all:
            raise Inapplicable(why)
        raise Refuted(f"{subject}: {self.promise} But it declined every case: {why}")

    def _judge(self, subject: Subject, case: Case) -> None:
        """The law on one case, whatever the state of torch's global generator."""
        raised = ""
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(case.seed)
            try:
                self.law(case)
            except (Refusal, Inapplicable):
                raise
            except AssertionError as error:
                found = str(error) or "it does not hold"
            except Exception as error:
                of_part = Raised.by(error, subject.part)
                found, raised = f"it raised {of_part}", of_part.origin
            else:
                return
        raise Refuted(f"{subject}: {self.promise} But {found}, with {case}", raised) from None


def _settings(examples: int) -> settings:
    """The same cases every time, no database, one failure at a time."""
    return settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        print_blob=False,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )


def require(holds: bool | torch.Tensor, sentence: str) -> None:
    """Refute with ``sentence`` where ``holds`` is false."""
    if not holds:
        raise AssertionError(sentence)


def require_rounding(error: float, dtype: torch.dtype, otherwise: str) -> None:
    """Refute with the clause ``otherwise`` where rounding in ``dtype`` does not explain the relative ``error``."""
    bound = TOLERANCES[dtype]
    require(
        error <= bound,
        f"{otherwise}: the relative error is {error:.2g} under a random permutation, "
        f"and rounding in {dtype} explains at most {bound:.0e}",
    )


def same(found: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether shapes and numbers are the same; "not a number" is the same as itself."""
    return found.shape == other.shape and torch.allclose(found, other, rtol=0, atol=0, equal_nan=True)


def settled(answer: Callable[[], torch.Tensor]) -> torch.Tensor:
    """The answer to a question that is asked twice.

    Where the two differ the case is declined: what changes by itself says nothing of what it depends on, and
    whether it may is judged elsewhere.
    """
    first = answer()
    if not same(first, answer()):
        raise Refusal("two calls alike differ, which is judged by `repeats`")
    return first


@contextmanager
def may_decline() -> Iterator[None]:
    """Within this context, a part may decline the case by an error that is addressed to the user."""
    try:
        yield
    except WsfError as error:
        require(bool(str(error).strip()), "it declines without a sentence")
        raise Refusal(str(error)) from None


def promised(
    kind: str,
    cases: Callable[[Subject], SearchStrategy[Any]],
    *,
    may_decline_all: bool = True,
    further: Callable[[Subject], Sequence[Any]] = _none,
) -> Callable[[Callable[[Any], None]], Check]:
    """A law as a check: its name is the function's, its promise the first paragraph of the docstring."""

    def made(law: Callable[[Any], None]) -> Check:
        promise = " ".join((law.__doc__ or "").split("\n\n")[0].split())
        return Check(kind, law.__name__, promise, cases, law, may_decline_all, further)

    return made
