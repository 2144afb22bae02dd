"""`sinkhorn-rebasin` from PyPI: ``RebasinNet`` is a model with a permutation matrix for each of its layers."""

from __future__ import annotations

import copy
from collections.abc import Callable
from importlib import import_module

import torch

from wsframework.benchmarks.rivals.answering import answer
from wsframework.benchmarks.rivals.judging import Verdict, change, randomise
from wsframework.benchmarks.subjects.small_networks import SmallNetwork


def judge(build: Callable[[], SmallNetwork], generator: torch.Generator) -> Verdict:
    """With the random hard permutations that it offers."""
    network = build()
    module = randomise(network.module, generator)
    rebasin = import_module("rebasin").RebasinNet(copy.deepcopy(module), network.inputs.shape).eval()
    rebasin.random_init()
    with torch.no_grad():
        after = rebasin().state_dict()
    return Verdict(tuple(p.shape[0] for p in rebasin.p), change(module, after, network.inputs))


if __name__ == "__main__":
    answer(judge)
