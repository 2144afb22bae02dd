"""`rebasin` from PyPI: ``PermutationCoordinateDescent`` permutes a model towards another of its kind."""

from __future__ import annotations

import copy
from collections.abc import Callable
from importlib import import_module
from typing import Any

import torch
from torch import nn

from wsframework.benchmarks.rivals.answering import answer
from wsframework.benchmarks.rivals.judging import Verdict, change, randomise
from wsframework.benchmarks.subjects.small_networks import SmallNetwork


def judge(build: Callable[[], SmallNetwork], generator: torch.Generator) -> Verdict:
    """As it aligns two random networks, and with random permutations in place of those that it would choose.

    It leaves the running statistics of batch norm where they are, to be calculated anew from data: so they are here.
    """
    inputs = build().inputs
    target, module = (randomise(build().module, generator) for _ in range(2))
    aligned, shuffled = copy.deepcopy(module), copy.deepcopy(module)
    _descent(target, aligned, inputs).rebasin()
    descent = _descent(target, shuffled, inputs)
    permutations = _permutations(descent)
    for permutation in permutations:
        permutation.perm_indices = torch.randperm(len(permutation.perm_indices), generator=generator)
    descent.apply_permutations()
    changes = (change(module, after.state_dict(), inputs, recalculated=True) for after in (aligned, shuffled))
    return Verdict(tuple(len(p.perm_indices) for p in permutations), max(changes))


def _descent(target: nn.Module, module: nn.Module, inputs: torch.Tensor) -> Any:
    return import_module("rebasin").PermutationCoordinateDescent(target, module, inputs)


def _permutations(descent: Any) -> list[Any]:
    found = {id(p): p for p, _ in descent.pinit.model_graph.permutation_to_info}
    return list(found.values())


if __name__ == "__main__":
    answer(judge)
