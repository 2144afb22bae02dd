"""Entries summed up, whatever their order."""

from __future__ import annotations

import torch

from samples.sample import Draw, Sample, family, operator, sample

aten = torch.ops.aten

LISTS = {"sum": "dim_IntList", "mean": "dim", "amax": "default", "amin": "default", "logsumexp": "default"}
ONE = {"any": "dim", "all": "dim", "prod": "dim_int", "max": "dim", "min": "dim", "median": "dim", "mode": "default"}
SPREAD = ("std", "var", "var_mean", "std_mean")
NORMS = {"norm": "ScalarOpt_dim", "linalg_vector_norm": "default"}
ALL = ("sum", "mean", "any", "all", "prod", "max", "min", "median", "std", "var", "amax", "aminmax", "argmax", "argmin")


@family(LISTS)
def lists(name: str, draw: Draw) -> Sample:
    a, b, c = draw.sizes(3)
    return Sample(operator(name, LISTS[name]), [draw.moved(a, b, c), [0, -1]], [a, b, c])


@family(LISTS, "the axis stays")
def keeping(name: str, draw: Draw) -> Sample:
    a, b = draw.sizes(2)
    return Sample(operator(name, LISTS[name]), [draw.moved(a, b), [1], True], [a, b])


@family(LISTS, "over the entries of heads")
def within(name: str, draw: Draw) -> Sample:
    b, h, k = draw.sizes(3)
    x = draw.moved(b, h * k, view=lambda array: array.reshape(b, h, k))
    return Sample(operator(name, LISTS[name]), [x, [2]], [b, h, (k, h)])


@family(LISTS, "over heads")
def heads(name: str, draw: Draw) -> Sample:
    b, h, k = draw.sizes(3)
    x = draw.moved(b, h * k, view=lambda array: array.reshape(b, h, k))
    return Sample(operator(name, LISTS[name]), [x, [1]], [b, k, (h, k)])


@family([name for name in ONE if name in ("any", "all", "prod")])
def one(name: str, draw: Draw) -> Sample:
    a, b = draw.sizes(2)
    return Sample(operator(name, ONE[name]), [draw.moved(a, b), 1], [a, b])


@family([name for name in ONE if name not in ("any", "all", "prod")])
def position(name: str, draw: Draw) -> Sample:
    """Where it stands is asked for, too."""
    a, b = draw.sizes(2)
    return Sample(operator(name, ONE[name]), [draw.moved(a, b), 1], [a])


@family(["max", "min"], "of two")
def of_two(name: str, draw: Draw) -> Sample:
    a, b = draw.sizes(2)
    return Sample(operator(name, "other"), [draw.moved(a, b), draw.moved(b)], [a, b])


@family(SPREAD)
def spread(name: str, draw: Draw) -> Sample:
    a, b = draw.sizes(2)
    return Sample(operator(name, "correction"), [draw.moved(a, b), [1]], [a, b], {"correction": 1})


@family(NORMS)
def norms(name: str, draw: Draw) -> Sample:
    a, b = draw.sizes(2)
    return Sample(operator(name, NORMS[name]), [draw.moved(a, b), 2, [1]], [a, b])


@sample("aminmax")
def aminmax(draw: Draw) -> Sample:
    a, b = draw.sizes(2)
    return Sample(aten.aminmax.default, [draw.moved(a, b)], [a, b], {"dim": 1})


@sample("kthvalue")
def kthvalue(draw: Draw) -> Sample:
    a, b = draw.sizes(2)
    return Sample(aten.kthvalue.default, [draw.moved(a, b), 2, 1], [a])


@family(["argmax", "argmin"])
def arg(name: str, draw: Draw) -> Sample:
    a, b = draw.sizes(2)
    return Sample(operator(name), [draw.moved(a, b), 1], [a])


@family(ALL, "of all")
def everything(name: str, draw: Draw) -> Sample:
    a, b = draw.sizes(2)
    return Sample(operator(name), [draw.moved(a, b)], [] if name.startswith("arg") else [a, b])
