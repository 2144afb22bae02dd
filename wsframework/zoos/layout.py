"""`Layout`: how state dicts become rows of numbers, and come back exactly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from wsframework.errors import StoreError, alike
from wsframework.spaces import Axis, Dim, Occurrence, Parameter, WeightSpace

State = Mapping[str, Tensor]


@dataclass(frozen=True)
class Layout:
    """The keys of every state dict of a zoo.

    Numbers in half precision are kept in float32, which holds them exactly, beside those of single precision; where
    any weight is in double precision, all are kept in float64. Whatever is no weight of the space (constants, whole
    numbers) is kept as it is, apart.

    Attributes:
        space: of the parameters.
        shapes: of every key, in the order of the state dict.
        dtypes: of every key, such as ``"bfloat16"``.
    """

    space: WeightSpace
    shapes: Mapping[str, tuple[int, ...]]
    dtypes: Mapping[str, str]

    @classmethod
    def plain(cls, space: WeightSpace) -> Layout:
        """That of networks in float32 with nothing but parameters."""
        shapes = space.shapes | {name: space.shapes[original] for name, original in space.ties}
        return cls(space, shapes, dict.fromkeys(shapes, "float32"))

    @classmethod
    def of(cls, state: State, space: WeightSpace | None = None, module: State | None = None) -> Layout:
        """That of networks like ``state``.

        Arguments:
            space: of the parameters; without it, one in which every dim is fixed.
            module: the state dict of a module that has that space, which says what keys there have to be.
        """
        model = dict(sorted(state.items())) if module is None else module  # as safetensors has them
        space = space or fixed_space(model)
        tied = {name for name, _ in space.ties} | {original for _, original in space.ties}
        keys = [key for key in model if key in state or key not in tied]
        dtypes = {key: _name(state[key].dtype if key in state else model[key].dtype) for key in keys}
        return cls(space, {key: tuple(model[key].shape) for key in keys}, dtypes)

    @property
    def dtype(self) -> torch.dtype:
        """Of the rows."""
        return torch.float64 if "float64" in (self.dtypes[key] for key in self._weights) else torch.float32

    @property
    def _weights(self) -> dict[str, str]:
        """The keys that are weights, and the names that these have in the space."""
        ties = dict(self.space.ties)
        return {key: ties.get(key, key) for key in self.shapes if ties.get(key, key) in self.space.shapes}

    def row(self, state: State) -> tuple[Tensor, dict[str, Tensor]]:
        """The weights (size,), and what else there is, by its keys."""
        weights = {name: state[key].detach().to(self.dtype) for key, name in self._weights.items()}
        return self.space.flatten(weights), {key: state[key].detach() for key in self.rest}

    @property
    def rest(self) -> list[str]:
        """The keys that are no weights."""
        return [key for key in self.shapes if key not in self._weights]

    def state(self, x: Tensor, rest: State) -> dict[str, Tensor]:
        """The inverse of `row`: the state dict, bit by bit."""
        values, weights = self.space.unflatten(x), self._weights
        return {
            key: values[weights[key]].to(dtype_named(self.dtypes[key])).clone() if key in weights else rest[key]
            for key in self.shapes
        }

    def mistakes(self, state: State) -> Iterator[str]:
        """Everything that keeps ``state`` from being one of this zoo's, a clause each."""
        strange = [key for key in state if key not in self.shapes]
        yield from (f"{key!r} is missing{alike(key, strange)}" for key in self.shapes if key not in state)
        for key, value in state.items():
            if key not in self.shapes:
                yield f"{key!r} is no key of these networks{alike(key, self.shapes)}"
            elif tuple(value.shape) != self.shapes[key]:
                yield f"{key!r} has shape {tuple(value.shape)}, where {self.shapes[key]} is wanted"
            elif _name(value.dtype) != self.dtypes[key]:
                yield f"{key!r} is of dtype {_name(value.dtype)}, that of others is of dtype {self.dtypes[key]}"
            elif key in self._weights:
                yield from self._of_weights(key, state)

    def _of_weights(self, key: str, state: State) -> Iterator[str]:
        value, original = state[key], self._weights[key]
        if value.is_complex():
            yield f"{key!r} is of dtype {_name(value.dtype)}; a weight is a real number"
        elif wrong := int((~value.double().isfinite()).sum()):
            yield f"{key!r} has {wrong} numbers of {value.numel()} that are not finite"
        elif not torch.equal(value.to(self.dtype).to(value.dtype), value):
            yield f"{key!r} has whole numbers that {_name(self.dtype)} can't hold exactly"
        elif original != key and original in state and not torch.equal(value, state[original]):
            yield f"{key!r} is tied to {original!r}, and differs from it"

    def to_json(self) -> dict[str, Any]:
        """What zoo.json says of it, under ``layout``."""
        return {key: {"shape": list(shape), "dtype": self.dtypes[key]} for key, shape in self.shapes.items()}

    @classmethod
    def from_json(cls, space: WeightSpace, saved: Any) -> Layout:
        """What `to_json` gave.

        Raises:
            StoreError: where that is something else.
        """
        try:
            shapes = {key: tuple(map(int, about["shape"])) for key, about in saved.items()}
            dtypes = {key: _name(dtype_named(about["dtype"])) for key, about in saved.items()}
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise StoreError(f"the layout of its state dicts can't be read ({error!r})") from None
        return cls(space, shapes, dtypes)


def fixed_space(state: State) -> WeightSpace:
    """A space of the floating-point tensors of ``state``, in which nothing moves: of what symmetry they have, none is
    known."""
    dims, parameters = [], []
    for i, (key, value) in enumerate(state.items()):
        if value.is_floating_point() and value.numel():
            own = [Dim(f"p{i}_{axis}", size, free=False) for axis, size in enumerate(value.shape)]
            dims += own
            parameters.append(Parameter(key, tuple(Axis(((Occurrence(dim.name),),)) for dim in own), key))
    return WeightSpace(tuple(dims), tuple(parameters))


def dtype_named(name: str) -> torch.dtype:
    """The dtype that is called ``name``.

    Raises:
        ValueError: where there is none.
    """
    found = getattr(torch, name, None)
    if not isinstance(found, torch.dtype):
        raise ValueError(f"there is no dtype {name!r}")
    return found


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
