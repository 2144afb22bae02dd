"""One walk over a graph of operators, whatever is done at each of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.fx import GraphModule, Node

Visit = Callable[[Node, Sequence[Any], dict[str, Any]], Any]

_WRAPPERS = {"wrap_with_set_grad_enabled": 1, "wrap_with_autocast": 4}
"""Operators that run a graph in some mode: how many arguments stand before it. The mode itself changes nothing here."""


def walk(graph: GraphModule, arguments: Sequence[Any], visit: Visit) -> tuple[Any, ...]:
    """The outputs of ``graph``, with ``visit(node, args, kwargs)`` in place of every operator."""
    values: dict[Node, Any] = {}
    given = iter(arguments)
    uses = {node: len(node.users) for node in graph.graph.nodes}
    for node in graph.graph.nodes:
        if node.op == "placeholder":
            values[node] = next(given)
        elif node.op == "get_attr":
            values[node] = getattr(graph, str(node.target))
        elif node.op == "output":
            outputs = torch.fx.node.map_arg(node.args[0], lambda n: values[n])
            return tuple(outputs) if isinstance(outputs, (tuple, list)) else (outputs,)
        else:
            args = torch.fx.node.map_arg(node.args, lambda n: values[n])
            kwargs = torch.fx.node.map_arg(node.kwargs, lambda n: values[n])
            values[node] = _value(node, args, dict(kwargs), visit)
        for used in node.all_input_nodes:
            uses[used] -= 1
            if not uses[used]:
                del values[used]
    raise AssertionError("a graph ends in its outputs")


def _value(node: Node, args: Sequence[Any], kwargs: dict[str, Any], visit: Visit) -> Any:
    name = getattr(node.target, "__name__", str(node.target))
    if name == "getitem":
        return args[0][args[1]]
    if name in _WRAPPERS:
        inner, *rest = args[_WRAPPERS[name] :]
        return walk(inner, rest, visit)
    return visit(node, args, kwargs)
