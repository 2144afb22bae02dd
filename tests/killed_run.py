"""Run by test_kill.py in a process of its own: kills runs, starts them again, and compares what they end with.

It forks, so it must have one thread; pytest's own process can't promise that.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

import torch
from tiny import REGISTRY, Heard, files, tiny, without_cost
from undrawn import empty

from wsframework.pipeline import train
from wsframework.pipeline.report import drawing
from wsframework.pipeline.run import run
from wsframework.pipeline.stage import Checkpoint
from wsframework.store import load_json

KILLS, CHECKPOINTS = 5, 4
CONFIG = tiny(
    zoo__size=48,
    zoo__block=8,
    train__steps=125,
    compare__initializers=["random", "hypernetwork", "prior"],
    tasks__held_out=4,
)


def begun(folder: Path) -> int:
    """The process id of a run that has just begun."""
    child = os.fork()
    if child == 0:
        try:
            run(CONFIG, REGISTRY, folder, "cpu")
        except BaseException as error:
            sys.stderr.write(f"{error!r}\n")
            os._exit(1)
        os._exit(0)
    return child


def was_killed(child: int) -> bool:
    """Whether the run was killed, rather than done."""
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "a restarted run failed"
    return os.WIFSIGNALED(status)


def killed_after(seconds: float, folder: Path) -> bool:
    """Whether a run was killed after ``seconds``, rather than done before."""
    child = begun(folder)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    return was_killed(child)


def check(folder: Path, undisturbed: Path) -> None:
    """The run that goes on in ``folder`` ends as the undisturbed one did, and has kept something."""
    heard = Heard()
    scores = run(CONFIG, REGISTRY, folder, "cpu", heard).scores
    assert heard.reused(), "nothing was kept of what was killed"
    assert without_cost(scores) == without_cost(load_json(undisturbed / "scores.json"))
    assert files(folder) == files(undisturbed)


def at_random_moments(folder: Path, undisturbed: Path) -> None:
    """At five moments or more, spread over the time that a run takes; some of them after the prior was trained."""
    run(CONFIG, REGISTRY, undisturbed, "cpu")  # warms up
    shutil.rmtree(undisturbed)
    start = time.perf_counter()
    run(CONFIG, REGISTRY, undisturbed, "cpu")
    share, rng, kills = (time.perf_counter() - start) / KILLS, random.Random(0), 0
    while kills < KILLS or not (folder / "stages" / "prior.json").exists():
        longer = max(1.0, kills / KILLS)  # a busy machine needs longer to get anywhere
        if killed_after(rng.uniform(0.5, 1.5) * share * longer, folder):
            kills += 1
        else:  # done too soon: once more, with less time
            shutil.rmtree(folder)
            share, kills = share / 2, 0
    check(folder, undisturbed)


def at_checkpoints(folder: Path, undisturbed: Path) -> None:
    """Right after the first checkpoint that each attempt keeps: the next goes on from there, not from the start."""
    run(CONFIG, REGISTRY, undisturbed, "cpu")
    save = Checkpoint.save

    def save_and_die(checkpoint: Checkpoint, *values: Any) -> None:
        save(checkpoint, *values)
        os.kill(os.getpid(), signal.SIGKILL)

    Checkpoint.save = save_and_die  # type: ignore[method-assign]
    kills = 0
    while was_killed(begun(folder)):
        kills += 1
    assert kills == 2 * CHECKPOINTS, "prior and hypernetwork each keep so many, if each attempt goes on from the last"
    check(folder, undisturbed)


if __name__ == "__main__":
    torch.set_num_threads(1)
    drawing.saved = empty
    train.EVERY = CONFIG.train.steps // (CHECKPOINTS + 1)
    globals()[sys.argv[1]](Path(sys.argv[2]) / "killed", Path(sys.argv[2]) / "undisturbed")
