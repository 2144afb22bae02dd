"""The engine of many machines: blocks as tasks of a Ray cluster (Moritz et al. 2018, arXiv:1712.05889)."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from wsframework.engines.work import Trained, Work
from wsframework.errors import RequestError

RETRIES = 5
"""How often a block is begun again whose worker died."""


def on_ray(work: Work, blocks: Sequence[int], workers: int, address: str) -> Iterator[tuple[int, Trained]]:
    """The ``blocks``, in the order in which they are done.

    Arguments:
        workers: how many blocks are trained at once on a cluster of this machine alone (0: as many as cores).
        address: of a running cluster ("auto", "ray://HOST:10001"); empty for one on this machine, which then ends.

    Raises:
        RequestError: where Ray is not installed, or there is no such cluster.
    """
    ray = _connected(workers, address)
    try:
        given = ray.put(work)
        remote = ray.remote(num_cpus=1, max_retries=RETRIES)(_trained)
        running = {remote.remote(given, block): block for block in blocks}
        while running:
            (done, *_), _ = ray.wait(list(running))
            yield running.pop(done), Trained(*ray.get(done))
    finally:
        ray.shutdown()


def _connected(workers: int, address: str) -> Any:
    try:
        import ray
    except ImportError:
        raise RequestError(
            "engine.use = 'ray' needs Ray, which is not installed: pip install 'wsframework[ray]'"
        ) from None
    if not address:
        path = {"env_vars": {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}}  # parts are where they are here
        quiet: dict[str, Any] = {"include_dashboard": False, "logging_level": logging.ERROR}
        ray.init(address="local", num_cpus=workers or None, runtime_env=path, **quiet)
        return ray
    try:
        ray.init(address=address, logging_level=logging.ERROR)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise RequestError(
            f"engine.address = {address!r}: no Ray cluster answers there ({str(error).splitlines()[0]})"
        ) from None
    return ray


def _trained(work: Work, block: int) -> Trained:
    return work.trained(block)
