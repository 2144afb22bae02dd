"""Recurrent layers over three steps."""

from __future__ import annotations

import torch

from samples.sample import Draw, Given, Known, Moved, Sample, family, operator, sample

aten = torch.ops.aten

GATES = {"lstm": 4, "gru": 3, "rnn_tanh": 1, "rnn_relu": 1}


def layer(draw: Draw, name: str, i: int, h: int) -> list[Moved]:
    """The matrices and biases of a layer in one direction."""
    rows = GATES[name] * h
    return [draw.moved(rows, i), draw.moved(rows, h), draw.moved(rows), draw.moved(rows)]


def state(name: str, first: Moved | Known | Given, second: Moved | Known | Given) -> object:
    """The state that the layer begins with."""
    return [first, second] if name == "lstm" else first


@family(GATES)
def one(name: str, draw: Draw) -> Sample:
    b, i, h = draw.sizes(3)
    start = state(name, draw.moved(1, b, h), draw.moved(1, b, h))
    args = [draw.moved(3, b, i), start, layer(draw, name, i, h), True, 1, 0.0, False, False, False]
    return Sample(operator(name, "input"), args, [b, i, h])


@family(GATES, "two layers, batch first")
def two(name: str, draw: Draw) -> Sample:
    b, i, h = draw.sizes(3)
    zeros = Known(torch.zeros(2, b, h, dtype=torch.float64))
    parameters = [*layer(draw, name, i, h), *layer(draw, name, h, h)]
    args = [draw.moved(b, 3, i), state(name, zeros, zeros), parameters, True, 2, 0.0, False, False, True]
    return Sample(operator(name, "input"), args, [b, i, h, h])


@family(GATES, "both ways, from a state that is given")
def both(name: str, draw: Draw) -> Sample:
    b, i, h = draw.sizes(3)
    given = Given(draw.normal(2, b, h))
    parameters = [*layer(draw, name, i, h), *layer(draw, name, i, h)]
    args = [draw.moved(3, b, i), state(name, given, given), parameters, True, 1, 0.0, False, True, False]
    return Sample(operator(name, "input"), args, [i])


@family(GATES, "two layers, both ways")
def two_both(name: str, draw: Draw) -> Sample:
    b, i, h = draw.sizes(3)
    zeros = Known(torch.zeros(4, b, h, dtype=torch.float64))
    parameters = [p for width in (i, i, 2 * h, 2 * h) for p in layer(draw, name, width, h)]
    args = [draw.moved(3, b, i), state(name, zeros, zeros), parameters, True, 2, 0.0, False, True, False]
    return Sample(operator(name, "input"), args, [b, i, h, h, h, h])


@family(GATES, "without biases")
def bare(name: str, draw: Draw) -> Sample:
    b, i, h = draw.sizes(3)
    start = state(name, draw.moved(1, b, h), draw.moved(1, b, h))
    args = [draw.moved(3, b, i), start, layer(draw, name, i, h)[:2], False, 1, 0.0, False, False, False]
    return Sample(operator(name, "input"), args, [b, i, h])


@sample("lstm", "with a projection")
def projected(draw: Draw) -> Sample:
    b, i, h = draw.sizes(3)
    p = 2
    h = 2 + h
    into, _, bias_in, bias_back = layer(draw, "lstm", i, h)
    parameters = [into, draw.moved(4 * h, p), bias_in, bias_back, draw.moved(p, h)]
    start = [draw.moved(1, b, p), draw.moved(1, b, h)]
    args = [draw.moved(3, b, i), start, parameters, True, 1, 0.0, False, False, False]
    return Sample(aten.lstm.input, args, [b, i, h, p])
