"""What the process of a rival does: it judges every network, and writes a line of JSON for each."""

from __future__ import annotations

import json
import signal
import sys
import traceback
import warnings
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import asdict
from pathlib import Path

import torch

from wsframework.benchmarks.rivals.judging import Verdict
from wsframework.benchmarks.subjects.small_networks import NETWORKS, SmallNetwork

LONGEST = 20
"""Seconds of processor time that a rival has for a network; it takes a second, or never ends."""

Judge = Callable[[Callable[[], SmallNetwork], torch.Generator], Verdict]


def answer(judge: Judge) -> None:
    """A line on stdout for each network named on the command line."""
    torch.set_num_threads(1)
    torch.backends.mha.set_fastpath_enabled(False)  # fused kernels hide what they compute
    for name in sys.argv[1:]:
        torch.manual_seed(0)
        with redirect_stdout(sys.stderr), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            verdict = _verdict(judge, NETWORKS[name])
        sys.stdout.write(json.dumps({"network": name, **asdict(verdict)}) + "\n")
        sys.stdout.flush()


def _verdict(judge: Judge, build: Callable[[], SmallNetwork]) -> Verdict:
    signal.signal(signal.SIGVTALRM, _give_up)
    signal.setitimer(signal.ITIMER_VIRTUAL, LONGEST)
    try:
        return judge(build, torch.Generator().manual_seed(0))
    except TimeoutError:
        return Verdict(error=f"no end after {LONGEST} s")
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        return Verdict(error=f"{type(error).__name__} in {Path(frame.filename).name}, {frame.name}")
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def _give_up(*_: object) -> None:
    raise TimeoutError
