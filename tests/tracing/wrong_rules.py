"""Wrong rules, one or more for each family: each demands too little of the group, or moves labels wrongly.

The module beside a mutant is a small network in which that operator decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from wsframework.tracing.facts import Facts
from wsframework.tracing.labels import Labels, fixed
from wsframework.tracing.rules import Call
from wsframework.tracing.rules.contraction import contract
from wsframework.tracing.rules.movement import rearrange
from wsframework.tracing.rules.recurrence import recurrent
from wsframework.tracing.rules.registry import Rule
from wsframework.tracing.verbs import join, move, reduce


@dataclass(frozen=True, eq=False)
class Mutant:
    """A wrong rule.

    Attributes:
        family: of the operator.
        operators: that it replaces the rule of.
        network: a module and its inputs, in which the mistake shows.
    """

    family: str
    operators: tuple[str, ...]
    rule: Rule
    network: Callable[[], tuple[nn.Module, tuple[Any, ...]]]


MUTANTS: list[Mutant] = []


class Formula(nn.Module):
    """A function of an input and of some layers."""

    def __init__(self, function: Callable[..., Tensor], **layers: nn.Module) -> None:
        super().__init__()
        self.function = function
        for name, layer in layers.items():
            self.add_module(name, layer)

    def forward(self, *args: Tensor) -> Tensor:
        return self.function(self, *args)


def hidden(function: Callable[..., Tensor], width: int = 6, out: int = 6) -> tuple[nn.Module, tuple[Any, ...]]:
    """A perceptron whose hidden layer ``function`` transforms."""
    net = Formula(lambda m, x: m.c(function(m.a(x))), a=nn.Linear(3, width), c=nn.Linear(out, 2))
    return net, (torch.randn(4, 3),)


def mutant(family: str, *operators: str, network: Callable[[], Any]) -> Callable[[Rule], Rule]:
    """Enter a wrong rule."""

    def enter(rule: Rule) -> Rule:
        MUTANTS.append(Mutant(family, operators, rule, network))
        return rule

    return enter


@contextmanager
def unheard(facts: Facts) -> Iterator[None]:
    """What is demanded of the group meanwhile is forgotten."""
    kept = {name: len(getattr(facts, name)) for name in ("unions", "arrows", "marks")}
    yield
    for name, count in kept.items():
        del getattr(facts, name)[count:]


def residual() -> Any:
    net = Formula(lambda m, x: m.c(m.a(x) + m.b(x).tanh()), a=nn.Linear(3, 5), b=nn.Linear(3, 5), c=nn.Linear(5, 2))
    return net, (torch.randn(4, 3),)


@mutant("elementwise", "add", network=residual)
def adds_apart(call: Call) -> Labels:
    """A sum that moves as its first summand does, whatever the second."""
    return call.args[0].labels.expand(call.result.shape)


@mutant("movement", "slice", network=lambda: hidden(lambda h: h[:, :4].sum(-1, keepdim=True), out=1))
def takes_any(call: Call) -> Any:
    """A slice that does not remember what it took."""
    with unheard(call.facts):
        return rearrange(call)


def concatenated() -> Any:
    net = Formula(
        lambda m, x: m.c(torch.cat([m.a(x), m.b(x)], -1)), a=nn.Linear(3, 4), b=nn.Linear(3, 4), c=nn.Linear(8, 2)
    )
    return net, (torch.randn(4, 3),)


@mutant("movement", "cat", network=concatenated)
def one_after_another(call: Call) -> Labels:
    """Parts put together as one: the second labelled as the first."""
    first, axis = call.args[0][0].labels, call.argument(1, "dim", 0) % call.result.dim()
    total = call.result.shape[axis]
    positions = torch.arange(first.size).reshape(first.shape)
    index = torch.arange(total) % first.shape[axis]
    return move(call.facts, first, positions.index_select(axis, index))


@mutant("contraction", "linear", network=lambda: hidden(torch.relu))
def sums_apart(call: Call) -> Labels:
    """A product of matrices that doesn't unify what it sums over."""
    x, weight = call.args[0].labels, call.args[1].labels
    out = reduce(call.facts, weight, [1]).squeeze([1])
    rows = reduce(call.facts, x, [-1]).squeeze([-1]).unsqueeze(-1)
    return join(call.facts, rows, out, mode="multiply")


def convolutional() -> Any:
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 2, 2))
    return net, (torch.randn(2, 1, 5, 5),)


@mutant("convolution", "convolution", "conv2d", network=convolutional)
def taps_move(call: Call) -> Labels:
    """A convolution whose taps and pixels may move."""
    x, weight = call.args[0].labels, call.args[1].labels
    space = range(2, len(weight.shape))
    channels, taps = (reduce(call.facts, labels, space).squeeze(space) for labels in (x, weight))
    if call.argument(8, "groups", 1) > 1 or call.argument(6, "transposed", False):
        return fixed(call.result.shape)
    product = join(call.facts, channels.unsqueeze(-2), taps, mode="multiply")
    result = reduce(call.facts, product, [-1]).squeeze([-1])
    for _ in space:
        result = result.unsqueeze(-1)
    return join(call.facts, result, fixed(call.result.shape, list(space)), mode="multiply")


def per_head(function: Callable[[Tensor], Tensor]) -> Any:
    return hidden(lambda h: function(h.view(-1, 2, 3)).flatten(1))


@mutant("reduction", "sum", network=lambda: hidden(lambda h: h.view(-1, 2, 3).tanh().sum(2), out=2))
def forgets_blocks(call: Call) -> Labels:
    """A sum whose result is labelled by what stands first in each block, and not told of the blocks."""
    axes = call.args[1]
    with unheard(call.facts):
        left = reduce(call.facts, call.args[0].labels, axes)
    return left if len(left.shape) == call.result.dim() else left.squeeze(axes)


@mutant("normalisation", "_softmax", "softmax", network=lambda: per_head(lambda h: h.softmax(-1)))
def softmax_of_entries(call: Call) -> Any:
    """A softmax that acts entry by entry."""
    return call.args[0].labels


@mutant("normalisation", "layer_norm", network=lambda: hidden(nn.LayerNorm(6)))
def norm_without_weight(call: Call) -> Labels:
    """A norm whose weight and bias move as they like."""
    return call.args[0].labels


def embedded() -> Any:
    net = nn.Sequential(nn.Embedding(7, 4), nn.Linear(4, 2))
    return net, (torch.arange(7),)


@mutant("lookup", "embedding", network=embedded)
def rows_move(call: Call) -> Labels:
    """An embedding whose rows may move."""
    row = reduce(call.facts, call.args[0].labels, [0]).squeeze([0])
    return join(call.facts, fixed((*call.args[1].value.shape, 1)), row, mode="multiply")


@mutant("positional", "cumsum", network=lambda: hidden(lambda h: h.cumsum(1)))
def cumulates_anyhow(call: Call) -> Any:
    """A cumulative sum taken for elementwise."""
    return call.args[0].labels


def recurring() -> Any:
    net = Formula(lambda m, x: m.c(m.r(x)[0]), r=nn.LSTM(3, 4), c=nn.Linear(4, 2))
    return net, (torch.randn(3, 2, 3),)


@mutant("recurrence", "lstm", network=recurring)
def gates_apart(call: Call) -> Any:
    """Gates that share nothing: the output moves as the last of them."""
    into = reduce(call.facts, call.args[2][0].labels, [1]).squeeze([1])
    rows, width = into.shape[0], call.result[0].shape[-1]
    last = move(call.facts, into, torch.arange(rows - width, rows))
    return [join(call.facts, fixed(r.shape, [0, 1]), last, mode="multiply") for r in call.result]


@mutant("recurrence", "lstm", network=recurring)
def gates_exchange(call: Call) -> Any:
    """Gates that nothing tells apart."""
    with unheard(call.facts):
        return recurrent(call)


def attending() -> Any:
    def attended(m: nn.Module, x: Tensor) -> Tensor:
        q, k, v = (layer(x) for layer in (m.q, m.k, m.v))
        return m.c(nn.functional.scaled_dot_product_attention(q, k, v))

    layers = {name: nn.Linear(3, 4) for name in "qkv"}
    return Formula(attended, **layers, c=nn.Linear(4, 2)), (torch.randn(2, 5, 3),)


@mutant("attention", "scaled_dot_product_attention", network=attending)
def queries_apart(call: Call) -> Labels:
    """Attention whose queries and keys move apart."""
    q, v = call.args[0].labels, call.args[2].labels
    rows = reduce(call.facts, q, [-1])
    return join(call.facts, rows, reduce(call.facts, v, [-2]), mode="multiply")


def routed() -> Any:
    """Two experts of eight inputs each; the first has three of five rows."""
    net = Formula(lambda m, x: torch._grouped_mm(x, m.w, offs=torch.tensor([3, 5], dtype=torch.int32)))
    net.w = nn.Parameter(torch.randn(2, 8, 8))
    return net.bfloat16(), (torch.randn(5, 8).bfloat16(),)


@mutant("contraction", "_grouped_mm", network=routed)
def experts_alike(call: Call) -> Labels:
    """Experts that can be exchanged, since no row is told whose it is."""
    x, weight = call.args[0].labels, call.args[1].labels
    with unheard(call.facts):
        each = reduce(call.facts, weight, [0]).squeeze([0])
    return contract(call.facts, x, each)


@mutant("positional", "sort", network=lambda: hidden(lambda h: h.sort(1).indices.to(h)))
def sorts_without_places(call: Call) -> Any:
    """Sorting whose answer of what stood where has no order."""
    rest = reduce(call.facts, call.args[0].labels, [call.args[1]])
    return [join(call.facts, rest, fixed(r.shape, [call.args[1]]), mode="multiply") for r in call.result]


@mutant("positional", "_fft_c2c", network=lambda: hidden(lambda h: torch.fft.fft(h).abs()))
def transforms_anyhow(call: Call) -> Any:
    """A Fourier transform taken for elementwise."""
    return call.args[0].labels


def put_into() -> Any:
    return hidden(lambda h: h.T.index_put((torch.tensor([0, 2]),), torch.zeros(2, 1)).T)


@mutant("lookup", "index_put", network=put_into)
def puts_anywhere(call: Call) -> Labels:
    """Slices put at no place in particular."""
    return call.args[0].labels
