"""From a module to the graph of ATen operators that it computes (torch.export), with its state by name."""

from __future__ import annotations

import copy
import io
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import default_decompositions, export
from torch.export.graph_signature import InputKind, OutputKind

from wsframework.errors import TraceError

_WHOLE = (
    "linear", "scaled_dot_product_attention", "layer_norm", "group_norm", "rms_norm", "gru.input", "lstm.input",
    "rnn_tanh.input", "rnn_relu.input", "softmax.int", "log_softmax.int", "matmul",
)  # fmt: skip
"""Operators that are kept whole, since their rule is simpler than those of what they consist of."""


_RANDOM = ("rand", "randn", "rand_like", "randn_like", "bernoulli", "rrelu_with_noise_functional", "multinomial")


@dataclass(frozen=True, eq=False)
class Program:
    """What a module computes.

    Attributes:
        graph: over ATen operators; its placeholders are those of ``inputs``.
        inputs: for each placeholder, in order: its kind (``parameter``, ``buffer``, ``constant`` or ``user``) and
            its name in the state dict, or the value itself.
        outputs: for each output, in order: the buffer that it is the new value of, or None.
        state: parameters and persistent buffers, each tensor once, by its first name.
        ties: further names in the state dict, and the name in ``state`` that each stands for.
        buffers: the names in ``state`` that are buffers.
    """

    graph: torch.fx.GraphModule
    inputs: tuple[tuple[str, Any], ...]
    outputs: tuple[str | None, ...]
    state: Mapping[str, Tensor]
    ties: Mapping[str, str]
    buffers: frozenset[str]

    @property
    def random(self) -> bool:
        """Whether it draws random numbers, as dropout does."""
        return any(_draws(node) for node in self.graph.graph.nodes)

    def arguments(self, state: Mapping[str, Tensor], users: Sequence[Any]) -> list[Any]:
        """What the placeholders are given, for this state and these inputs."""
        given = iter(users)
        return [
            state[value] if kind in ("parameter", "buffer") else next(given) if kind == "user" else value
            for kind, value in self.inputs
        ]


def _draws(node: torch.fx.Node) -> bool:
    name = str(getattr(getattr(node.target, "overloadpacket", None), "__name__", ""))
    dropout = name in ("dropout", "native_dropout")
    return name in _RANDOM or (dropout and bool(node.args[1]) and node.args[2] is not False)


def program_of(module: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any], training: bool = False) -> Program:
    """The graph of ``module`` in evaluation or training mode. The module is left as it is.

    Raises:
        TraceError: with what the module says, where it can't be run on these inputs, or torch.export, where that
            can't follow it.
    """
    with _told(f"{type(module).__name__} can't be copied"):
        copied = copy.deepcopy(module, _computed(module)).train(training)
    with _quiet(), _told(f"{type(module).__name__} can't be run on these inputs"), torch.no_grad():
        copy.deepcopy(copied)(*args, **kwargs)
    with _quiet(), _told(f"torch.export can't follow {type(module).__name__}"):
        exported = export(copied, args, dict(kwargs), strict=False)
        exported = exported.run_decompositions(_decompositions())
    state, ties = _tied(copied)
    aliases = {**{name: name for name in state}, **ties}
    signature = exported.graph_signature
    inputs = tuple(_input(spec, exported, aliases) for spec in signature.input_specs)
    outputs = tuple(
        aliases.get(str(spec.target)) if spec.kind == OutputKind.BUFFER_MUTATION else None
        for spec in signature.output_specs
    )
    buffers = frozenset(aliases[name] for name, _ in copied.named_buffers() if name in aliases)
    return Program(exported.graph_module, inputs, outputs, state, ties, buffers)


def _computed(module: nn.Module) -> dict[int, Any]:
    """Attributes that a hook computes anew from parameters (`torch.nn.utils.weight_norm`), which copy cannot copy."""
    attributes = (value for m in module.modules() for value in vars(m).values())
    return {id(a): a.detach().clone() for a in attributes if isinstance(a, Tensor) and not a.is_leaf}


def _decompositions() -> dict[Any, Any]:
    table = default_decompositions()
    for name in _WHOLE:
        packet, _, overload = name.partition(".")
        whole = getattr(getattr(torch.ops.aten, packet), overload or "default")
        if whole in table:
            del table[whole]
    return table


def _input(spec: Any, exported: Any, aliases: Mapping[str, str]) -> tuple[str, Any]:
    if spec.kind == InputKind.USER_INPUT:
        return "user", None
    if spec.kind == InputKind.PARAMETER or (spec.kind == InputKind.BUFFER and spec.persistent):
        return ("parameter" if spec.kind == InputKind.PARAMETER else "buffer"), aliases[spec.target]
    return "constant", exported.constants[spec.target]


def _tied(module: nn.Module) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The state dict, each tensor once; and the other names."""
    state: dict[str, Tensor] = {}
    ties: dict[str, str] = {}
    first: dict[tuple[Any, ...], str] = {}
    for name, value in module.state_dict(keep_vars=True).items():
        if not isinstance(value, Tensor):
            continue
        key = (value.data_ptr(), tuple(value.shape), value.stride()) if value.numel() else (name,)
        if key in first:
            ties[name] = first[key]
        else:
            first[key] = name
            state[name] = value.detach()
    return state, ties


def moving_buffers(program: Program, training: Program | None) -> frozenset[str]:
    """Buffers that training changes, as running statistics: they belong to their neurons. Others are constants."""
    if training is not None:
        return frozenset(name for name in training.outputs if name is not None)
    ending = ("running_mean", "running_var", "num_batches_tracked")
    return frozenset(name for name in program.buffers if name.endswith(ending))


@contextmanager
def _told(what: str) -> Iterator[None]:
    """An error's first line, after ``what``."""
    try:
        yield
    except Exception as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise TraceError(f"{what}: {lines[0]}") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Neither fused kernels for inference, nor warnings and logs of the exporter."""
    fast, disabled = torch.backends.mha.get_fastpath_enabled(), logging.root.manager.disable
    torch.backends.mha.set_fastpath_enabled(False)
    logging.disable(logging.CRITICAL)
    try:
        silence = io.StringIO()
        with warnings.catch_warnings(), torch.enable_grad(), redirect_stdout(silence), redirect_stderr(silence):
            warnings.simplefilter("ignore")
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
        logging.disable(disabled)
