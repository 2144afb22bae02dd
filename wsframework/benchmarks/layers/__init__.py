"""Equivariant layers: time and memory beside the least that any such layer can take, and beside those of `nfn`."""

from __future__ import annotations

import torch

from wsframework.benchmarks import Row, Table
from wsframework.benchmarks.layers.growth import growth
from wsframework.benchmarks.layers.measuring import best_times, peak
from wsframework.benchmarks.layers.stacks import CHANNELS, DEPTH, NFN, STACKS, Stack
from wsframework.benchmarks.subjects.spaces import mlp_space

CASES = ((64, (2, 32, 2)), (64, (2, 32, 32, 1)), (16, (784, 128, 128, 10)))
"""Batch, and the sizes of a perceptron's layers."""


def run() -> Table:
    """Forward and backward through stacks of layers, the best of several turns; and how the time grows with size.

    The bound is a per-weight perceptron of the same channels: what no layer that sees every weight can undercut.
    """
    rows = [row for batch, sizes in CASES for row in _rows(batch, sizes)]
    title = f"layers: {DEPTH} of {CHANNELS} channels, {torch.get_num_threads()} threads, torch {torch.__version__}"
    return Table(title, (*rows, *growth()))


def _rows(batch: int, sizes: tuple[int, ...]) -> list[Row]:
    stacks = {name: make(mlp_space(sizes), batch) for name, make in STACKS.items()}
    times = best_times({name: stack.step for name, stack in stacks.items() if stack is not None})
    peaks = {name: peak(name, batch, sizes) for name in times}
    return [_row(f"{batch} x {'-'.join(map(str, sizes))}", name, stacks[name], times, peaks) for name in STACKS]


def _row(case: str, name: str, stack: Stack | None, times: dict[str, float], peaks: dict[str, float]) -> Row:
    what = f"{case}, {name}"
    if stack is None:
        return Row(what, None, "ms", note=NFN.how)
    milliseconds, note = 1e3 * times[name], f"peak {peaks[name]:.0f} MB"
    if name == "bound":
        return Row(what, milliseconds, "ms", note=note)
    return Row(what, milliseconds, "ms", "the bound", times[name] / times["bound"], note)
