"""How the time to find a network's symmetries grows with the network, beside that of torch.export alone."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from wsframework.benchmarks import Row, Table
from wsframework.benchmarks.subjects.language_model import LanguageModel
from wsframework.device import one_thread
from wsframework.errors import RequestError
from wsframework.tracing.finding import find
from wsframework.tracing.naming import space_of
from wsframework.tracing.program import program_of
from wsframework.tracing.reasons import notes
from wsframework.tracing.verifying import TOLERANCE, Failure, verify

WIDTHS = (64, 256)
LAYERS = (1, 2, 4, 8, 12)
_WORDS = 32
_EXPORT = "torch.export alone"


def run(*, widths: Sequence[int] = WIDTHS, layers: Sequence[int] = LAYERS) -> Table:
    """Transformer language models of several depths and widths, on one thread, in processor time.

    The stages of `wsframework.tracing.examine` are timed one by one: torch.export, in evaluation and in training
    mode; reading and solving; verification in both modes. The last two are the tracer's own.

    Raises:
        RequestError: with fewer than two depths, through which no line goes.
    """
    if len(set(layers)) < 2:
        raise RequestError(f"how time grows can't be told from {len(set(layers))} depth; at least 2 are needed")
    with one_thread():
        _timed(LanguageModel(16, 1))  # a warm-up
        found = {width: [_timed(LanguageModel(width, depth)) for depth in layers] for width in widths}
    rows = [_row(width, depth, stages) for width in widths for depth, stages in zip(layers, found[width], strict=True)]
    return Table(
        f"tracing: pre-norm transformer language models, 4 heads, {_WORDS} words, 8 positions; processor time, "
        f"1 thread, torch {torch.__version__}",
        (*rows, *(_growth(width, found[width]) for width in widths)),
    )


@dataclass(frozen=True)
class _Stages:
    """Processor seconds of each stage, for a graph of so many operators."""

    operators: int
    export: float
    finding: float
    verifying: float

    @property
    def tracer(self) -> float:
        """Of the tracer itself."""
        return self.finding + self.verifying


def _timed(module: LanguageModel) -> _Stages:
    generator = torch.Generator().manual_seed(0)
    x = torch.randint(_WORDS, (2, 8), generator=generator)
    begin = time.process_time()
    programs = [program_of(module, (x,), {}, training=training) for training in (False, True)]
    exported = time.process_time()
    found = find(programs[:1], [x], frozenset())
    space = space_of(found, programs[0].ties, notes(found))
    solved = time.process_time()
    errors = [verify(program, space, [x], generator) for program in programs]
    verified = time.process_time()
    assert not any(isinstance(error, Failure) for error in errors), f"more than {TOLERANCE}"
    return _Stages(found.reading.operators, exported - begin, solved - exported, verified - solved)


def _row(width: int, depth: int, stages: _Stages) -> Row:
    note = (
        f"{stages.operators} operators, {stages.tracer / stages.operators * 1e3:.3g} ms each; finding "
        f"{stages.finding:.2f} s, verification {stages.verifying:.2f} s; {_EXPORT} {stages.export:.2f} s"
    )
    layers = f"{depth} layer{'s' if depth > 1 else ''}"
    return Row(f"width {width}, {layers}", stages.tracer, "s", _EXPORT, stages.tracer / stages.export, note)


def _growth(width: int, found: Sequence[_Stages]) -> Row:
    """The exponent, by least squares on logarithms."""
    operators, seconds = np.log([s.operators for s in found]), np.log([s.tracer for s in found])
    slope = float(np.polyfit(operators, seconds, 1)[0])
    note = f"the tracer's time grows as operators ** {slope:.2f}; {found[0].operators} to {found[-1].operators}"
    return Row(f"width {width}, growth", slope, "exponent", "linear", slope, note)
