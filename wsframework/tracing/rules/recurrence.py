"""Recurrent layers: their equations, once through, with the state of the next step that of the last."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from wsframework.tracing.facts import Facts
from wsframework.tracing.labels import Column, Labels
from wsframework.tracing.rules.contraction import affine
from wsframework.tracing.rules.elementwise import degree
from wsframework.tracing.rules.movement import concatenate
from wsframework.tracing.rules.registry import Call, Operand, rule
from wsframework.tracing.verbs import fix, join, move, scaled

GATES = {"lstm": 4, "gru": 3, "rnn_tanh": 1, "rnn_relu": 1}


@rule("lstm", "gru", "rnn_tanh", "rnn_relu")
def recurrent(call: Call) -> Sequence[Labels]:
    """Layers over a sequence, forwards or both ways: outputs (l, b, h), and the last states."""
    x, state, parameters = call.args[:3]
    biases, layers, _, _, both, batch_first = call.args[3:9]
    states = [s.labels for s in (state if isinstance(state, (list, tuple)) else [state])]
    labels = x.labels if not batch_first else x.labels.transpose(0, 1)
    labels = fix(call.facts, labels, [0])
    directions = 2 if both else 1
    each = len(parameters) // (layers * directions)
    last: list[list[Labels]] = []
    for layer in range(layers):
        outputs = []
        for direction in range(directions):
            k = layer * directions + direction
            initial = [_taken(call.facts, s, k) for s in states]
            step = _step(call, labels, initial, parameters[k * each : (k + 1) * each], biases)
            outputs.append(step[0])
            last.append(step)
        labels = concatenate(outputs, 2) if both else outputs[0]
    finals = [concatenate([_after(step[n]) for step in last], 0) for n in range(len(states))]
    return [labels.transpose(0, 1) if batch_first else labels, *finals]


def _after(labels: Labels) -> Labels:
    """A state (l, b, h) after the last step, (1, b, h)."""
    kept = tuple(c for c in labels.columns if 0 not in c.axes)
    return Labels((1, *labels.shape[1:]), kept, labels.zero)


def _taken(facts: Facts, labels: Labels, k: int) -> Labels:
    return move(facts, labels, torch.arange(labels.size).reshape(labels.shape)[k])


def _step(call: Call, x: Labels, states: list[Labels], parameters: Sequence[Operand], biases: bool) -> list[Labels]:
    """One layer in one direction: the state before and after have one label."""
    facts = call.facts
    into, back = (p.labels for p in parameters[:2])
    bias_in, bias_back = (p.labels for p in parameters[2:4]) if biases else (None, None)
    projection = parameters[-1].labels if len(parameters) == (5 if biases else 3) else None
    width = back.shape[0] // GATES[call.name]
    hidden = states[0]
    own = _hidden(facts, back, hidden)
    first = _gates(facts, affine(facts, x, into, bias_in), width)
    second = _gates(facts, affine(facts, own, back, bias_back), width)
    result = (
        _lstm(call, first, second, states[1])
        if call.name == "lstm"
        else [_gru(call, first, second) if call.name == "gru" else _plain(call, first, second)]
    )
    new = affine(facts, result[0], projection, None) if projection is not None else result[0]
    join(facts, new, own, mode="add")
    return [new, *result[1:]]


def _hidden(facts: Facts, back: Labels, hidden: Labels) -> Labels:
    """The state, labelled with what the recurrent matrix reads; a state of zeros has no labels of its own."""
    columns = [c.map(lambda array: array) for c in back.columns if set(c.axes) == {1}]
    named = Labels((1, back.shape[1]), tuple(columns))
    return join(facts, hidden, _answering(facts, named), mode="add")


def _answering(facts: Facts, labels: Labels) -> Labels:
    """With the exponents that make a product with ``labels`` free of any."""
    return Labels(labels.shape, tuple(Column(c.atoms, facts.forms.combine(None, c.forms, -1)) for c in labels.columns))


def _gates(facts: Facts, labels: Labels, width: int) -> list[Labels]:
    """The summands of the last axis."""
    positions = torch.arange(labels.size).reshape(labels.shape)
    return [move(facts, labels, positions.narrow(-1, k, width)) for k in range(0, labels.shape[-1], width)]


def _plain(call: Call, first: list[Labels], second: list[Labels]) -> Labels:
    total = join(call.facts, first[0], second[0], mode="add")
    return scaled(call.facts, total, degree(call, (None, 1) if call.name == "rnn_tanh" else (1, None)))


def _gru(call: Call, first: list[Labels], second: list[Labels]) -> Labels:
    facts = call.facts
    reset, update = (
        scaled(facts, join(facts, a, b, mode="add"), None) for a, b in zip(first[:2], second[:2], strict=True)
    )
    gated = join(facts, reset, second[2], mode="multiply")
    new = scaled(facts, join(facts, first[2], gated, mode="add"), degree(call, (None, 1)))
    return join(facts, update, new, mode="multiply")


def _lstm(call: Call, first: list[Labels], second: list[Labels], cell: Labels) -> list[Labels]:
    facts = call.facts
    sums = [join(facts, a, b, mode="add") for a, b in zip(first, second, strict=True)]
    enter, forget, leave = (scaled(facts, sums[k], None) for k in (0, 1, 3))
    new = join(facts, enter, scaled(facts, sums[2], degree(call, (None, 1))), mode="multiply")
    state = join(facts, join(facts, forget, cell, mode="multiply"), new, mode="add")
    return [join(facts, leave, scaled(facts, state, degree(call, (None, 1))), mode="multiply"), state]
