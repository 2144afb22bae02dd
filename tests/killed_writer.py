"""Run by test_store.py in a process of its own: kills children that write, and looks at what they leave.

It forks, so it must have one thread; pytest's own process can't promise that.
"""

from __future__ import annotations

import itertools
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import torch

from wsframework import store, zoo_store
from wsframework.errors import RequestError
from wsframework.pipeline.lock import run_lock
from wsframework.spaces import WeightSpace
from wsframework.store import load_json, write_atomic
from wsframework.zoo_store import ZooStore

SPACE = WeightSpace.parse("free hidden=3\nfixed in=2\nweight hidden in\nbias hidden")


def meant(block: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(block)
    x = torch.randn(4, SPACE.size, generator=generator)
    return {"x": x, "loss": x.sum(1), "task_index": torch.arange(4) + 4 * block}


def append(zoo: ZooStore, block: int) -> None:
    zoo.append(block, **meant(block), seconds=1.0)


def write_on(zoo: ZooStore) -> None:
    """What a run does: builds the first block that does not hold, for ever."""
    zoo.begin(SPACE, {"lr": 0.1})
    while True:
        held = zoo.blocks()
        append(zoo, next(b for b in range(len(held) + 1) if b not in held))


def killed_after(seconds: float, work: Callable[[], None]) -> None:
    child = os.fork()
    if child == 0:
        work()
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def killed_at_line(number: int, work: Callable[[], None]) -> bool:
    """Whether a child was killed just before the store's ``number``-th line, rather than finished."""
    child = os.fork()
    if child == 0:
        left = number

        def trace(frame: FrameType, event: str, _: Any) -> Any:
            nonlocal left
            if frame.f_code.co_filename not in (store.__file__, zoo_store.__file__):
                return None
            left -= event == "line"
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return trace

        sys.settrace(trace)
        work()
        sys.settrace(None)
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def check(zoo: ZooStore) -> set[int]:
    """Every block that holds is exactly what was meant."""
    held = zoo.blocks()
    for block in held:
        for name, value in zoo.load([block]).items():
            assert torch.equal(value, meant(block)[name]), (block, name)
    return held


def at_random_moments(folder: Path) -> None:
    zoo, held, rng, kills = ZooStore(folder), set[int](), random.Random(0), 0
    while kills < 40 or len(held) < 5:  # a busy machine needs longer to get anywhere
        killed_after(rng.uniform(0, 0.03 * (1 + kills / 40)), lambda: write_on(zoo))
        now, kills = check(zoo), kills + 1
        assert held <= now, "a block that held was lost"
        held = now


def while_others_read(folder: Path) -> None:
    """A file that is replaced over and over is whole at every moment, and when its writer was killed."""
    path, contents = folder / "f", [bytes([n]) * 3_000_000 for n in range(2)]

    def replace() -> None:
        for content in itertools.cycle(contents):
            write_atomic(path, content)

    write_atomic(path, contents[0])
    found = set()
    for _ in range(10):
        child = os.fork()
        if child == 0:
            replace()
        for _ in range(20):
            found.add(path.read_bytes())
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        found.add(path.read_bytes())
    assert found <= set(contents), [len(f) for f in found]
    assert len(found) == 2, "the writers got nowhere: the test shows nothing"


def at_every_line(folder: Path) -> None:
    zoo = ZooStore(folder)
    zoo.begin(SPACE, {"lr": 0.1})
    append(zoo, 0)
    line, next_block = 0, 1
    while killed_at_line(line, lambda block=next_block: append(zoo, block)):
        held = check(zoo)
        assert held >= set(range(next_block)), "a block that held was lost"
        line, next_block = line + 1, next_block + (next_block in held)
    assert line > 30, "the child was hardly ever killed: the test shows nothing"
    assert check(zoo) == set(range(next_block + 1))


def at_every_line_of_a_new_recipe(folder: Path) -> None:
    zoo, line = ZooStore(folder), 0
    while True:
        zoo.begin(SPACE, {"lr": 0.1})
        append(zoo, 0)
        if not killed_at_line(line, lambda: zoo.begin(SPACE, {"lr": 0.2})):
            break
        recipe = load_json(folder / "zoo.json")["recipe"]
        assert recipe == {"lr": 0.1} or not zoo.blocks(), "blocks of the old recipe under the new one"
        zoo.begin(SPACE, {"lr": 0.2})
        assert not zoo.blocks()
        line += 1
    assert line > 10


def lock_of_a_killed_process(folder: Path) -> None:
    def hold() -> None:
        with run_lock(folder):
            (folder / "held").touch()
            time.sleep(60)

    child = os.fork()
    if child == 0:
        hold()
    while not (folder / "held").exists():
        time.sleep(0.01)
    with pytest.raises(RequestError, match=f"process {child}"), run_lock(folder):
        pass
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    (folder / f".x.00000000{store.PARTIAL}").touch()
    with run_lock(folder):
        assert not list(folder.glob(f".*{store.PARTIAL}"))


if __name__ == "__main__":
    torch.set_num_threads(1)
    globals()[sys.argv[1]](Path(sys.argv[2]))
