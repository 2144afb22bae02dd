"""Entries rearranged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from samples.sample import Draw, Given, Known, Moved, Sample, family, operator, sample

aten = torch.ops.aten

# what nothing fixes: every entry is taken equally often
WHOLE: dict[str, Callable[[int, int, int], tuple[Any, ...]]] = {
    **dict.fromkeys(["view", "reshape", "_unsafe_view", "view_copy"], lambda a, b, c: ([a, b * c],)),
    **dict.fromkeys(["permute", "permute_copy"], lambda a, b, c: ([2, 0, 1],)),
    **dict.fromkeys(["unsqueeze", "unsqueeze_copy"], lambda a, b, c: (1,)),
    **dict.fromkeys(["expand", "expand_copy"], lambda a, b, c: ([2, a, b, c],)),
    "flip": lambda a, b, c: ([0, 2],),
    "roll": lambda a, b, c: ([1], [1]),
    **dict.fromkeys(["repeat", "tile"], lambda a, b, c: ([2, 1, 3],)),
    "as_strided": lambda a, b, c: ([c, b, a], [1, c, b * c]),
    "swapaxes": lambda a, b, c: (0, 2),
    "rot90": lambda a, b, c: (1, [0, 1]),
    "mT": lambda a, b, c: (),
    "numpy_T": lambda a, b, c: (),
    "alias_copy": lambda a, b, c: (),
    "squeeze": lambda a, b, c: (),
    "squeeze_copy": lambda a, b, c: (),
}
OVERLOADED: dict[str, tuple[str, Callable[[int, int, int], tuple[Any, ...]]]] = {
    "transpose": ("int", lambda a, b, c: (0, -1)),
    "transpose_copy": ("int", lambda a, b, c: (0, -1)),
    "movedim": ("int", lambda a, b, c: (0, 2)),
    "flatten": ("using_ints", lambda a, b, c: (1,)),
    "repeat_interleave": ("self_int", lambda a, b, c: (2, 1)),
}


@family(WHOLE)
def whole(name: str, draw: Draw) -> Sample:
    a, b, c = draw.sizes(3)
    return Sample(operator(name), [draw.moved(a, b, c), *WHOLE[name](a, b, c)], [a, b, c])


@family(OVERLOADED)
def overloaded(name: str, draw: Draw) -> Sample:
    a, b, c = draw.sizes(3)
    overload, rest = OVERLOADED[name]
    return Sample(operator(name, overload), [draw.moved(a, b, c), *rest(a, b, c)], [a, b, c])


@sample("copy")
def copy(draw: Draw) -> Sample:
    a, b = draw.sizes(2)
    return Sample(aten.copy.default, [draw.moved(a, b), draw.moved(b)], [a, b, b])


@sample("t")
def t(draw: Draw) -> Sample:
    a, b = draw.sizes(2)
    return Sample(aten.t.default, [draw.moved(a, b)], [a, b])


@sample("unflatten")
def unflatten(draw: Draw) -> Sample:
    a, b, c = draw.sizes(3)
    return Sample(aten.unflatten.int, [draw.moved(a, b * c), 1, [b, c]], [a, b * c])


@sample("squeeze", "one axis")
def squeeze(draw: Draw) -> Sample:
    a, b = draw.sizes(2)
    return Sample(aten.squeeze.dims, [draw.moved(a, 1, b), [1]], [a, b])


@family(["slice", "slice_copy"])
def sliced(name: str, draw: Draw) -> Sample:
    a, b, c = draw.sizes(3)
    return Sample(operator(name, "Tensor"), [draw.moved(a + b, c), 0, 0, a], [a, b, c])


@sample("slice", "every second")
def stepped(draw: Draw) -> Sample:
    a, c = draw.sizes(2)
    return Sample(aten.slice.Tensor, [draw.moved(2 * a, c), 0, 1, 2 * a, 2], [a, a, c])


@sample("slice", "across heads")
def sliced_heads(draw: Draw) -> Sample:
    h, k = draw.sizes(2)
    x = draw.moved(h * 2 * k, view=lambda array: array.reshape(h, 2 * k))
    return Sample(aten.slice.Tensor, [x, 1, 0, k], [h * k, h * k])


@sample("narrow")
def narrow(draw: Draw) -> Sample:
    a, b, c = draw.sizes(3)
    return Sample(aten.narrow.default, [draw.moved(a + b, c), 0, b, a], [a, b, c])


@family(["select", "select_copy"])
def select(name: str, draw: Draw) -> Sample:
    a, c = draw.sizes(2)
    return Sample(operator(name, "int"), [draw.moved(a + 1, c), 0, 1], [a, c])


@family(["split", "split_copy"])
def split(name: str, draw: Draw) -> Sample:
    a, c = draw.sizes(2)
    return Sample(operator(name, "Tensor"), [draw.moved(3 * a, c), a], [a, a, a, c])


@family(["split_with_sizes", "split_with_sizes_copy"])
def split_with_sizes(name: str, draw: Draw) -> Sample:
    a, b, c = draw.sizes(3)
    return Sample(operator(name), [draw.moved(c, a + b), [a, b], 1], [a, b, c])


@sample("chunk")
def chunk(draw: Draw) -> Sample:
    a, c = draw.sizes(2)
    return Sample(aten.chunk.default, [draw.moved(3 * a, c), 3], [a, a, a, c])


@sample("tensor_split")
def tensor_split(draw: Draw) -> Sample:
    a, b, c = draw.sizes(3)
    return Sample(aten.tensor_split.indices, [draw.moved(a + b, c), [a]], [a, b, c])


@sample("unbind")
@sample("unbind_copy")
def unbind(draw: Draw) -> Sample:
    a, c = draw.sizes(2)
    return Sample(aten.unbind.int, [draw.moved(a, c)], [c])


@family(["unfold", "unfold_copy"])
def unfold(name: str, draw: Draw) -> Sample:
    a, c = draw.sizes(2)
    return Sample(operator(name), [draw.moved(a + 2, c), 0, 2, 1], [2, a, c])  # both ends are taken once


@family(["diagonal", "diagonal_copy"])
def diagonal(name: str, draw: Draw) -> Sample:
    a, c = draw.sizes(2)
    return Sample(operator(name), [draw.moved(a, a, c)], [c])


@sample("pixel_shuffle")
def pixel_shuffle(draw: Draw) -> Sample:
    b, c, h, w = draw.sizes(4)
    return Sample(aten.pixel_shuffle.default, [draw.moved(b, 4 * c, h, w), 2], [b, 4 * c, h, w])


@sample("pixel_unshuffle")
def pixel_unshuffle(draw: Draw) -> Sample:
    b, c, h, w = draw.sizes(4)
    return Sample(aten.pixel_unshuffle.default, [draw.moved(b, c, 2 * h, 2 * w), 2], [b, c, 2 * h, 2 * w])


@family(["channel_shuffle", "native_channel_shuffle"])
def channel_shuffle(name: str, draw: Draw) -> Sample:
    b, c, h, w = draw.sizes(4)
    return Sample(operator(name), [draw.moved(b, 2 * c, h, w), 2], [b, 2 * c, h, w])


@sample("cat")
def cat(draw: Draw) -> Sample:
    a, b, c = draw.sizes(3)
    return Sample(aten.cat.default, [[draw.moved(a, c), draw.moved(b, c)]], [a, b, c, c])


@sample("cat", "along the second axis")
def cat_features(draw: Draw) -> Sample:
    a, b, c = draw.sizes(3)
    return Sample(aten.cat.default, [[draw.moved(a, b), draw.moved(a, c), Given(draw.normal(a, 2))], 1], [a, a, b, c])


@sample("cat", "with itself")
def cat_itself(draw: Draw) -> Sample:
    a, c = draw.sizes(2)
    x = draw.moved(a, c)
    return Sample(aten.cat.default, [[x, x], 1], [a, c])


@sample("cat", "of what is labelled alike and is not the same")
def cat_negative(draw: Draw) -> Sample:
    a, c = draw.sizes(2)
    x = draw.moved(a, c)
    return Sample(lambda operands, axis: torch.cat([operands[0], -operands[1]], axis), [[x, x], 1], [a, c])


@sample("stack")
def stack(draw: Draw) -> Sample:
    a, b = draw.sizes(2)
    return Sample(aten.stack.default, [[draw.moved(a, b), draw.moved(a, b)], 1], [a, a, b, b])


@sample("index", "known")
def index(draw: Draw) -> Sample:
    a, b, c = draw.sizes(3)
    taken = torch.arange(a).repeat(2)
    return Sample(aten.index.Tensor, [draw.moved(a + b, c), [Known(taken)]], [a, b, c])


@sample("index", "a known mask")
def index_mask(draw: Draw) -> Sample:
    a, b, c = draw.sizes(3)
    return Sample(aten.index.Tensor, [draw.moved(c, a + b), [None, Known(torch.arange(a + b) < a)]], [a, b, c])


@sample("index", "given")
def index_given(draw: Draw) -> Sample:
    a, b, c = draw.sizes(3)
    return Sample(aten.index.Tensor, [draw.moved(a, c), [Given(draw.indices(a, b))]], [c])


@sample("index", "that moves")
def index_moved(draw: Draw) -> Sample:
    a, b, c = draw.sizes(3)
    return Sample(aten.index.Tensor, [draw.moved(a, c), [Moved(draw.indices(a, b))]], [c])


@sample("index_select", "known")
def index_select(draw: Draw) -> Sample:
    a, b, c = draw.sizes(3)
    return Sample(aten.index_select.default, [draw.moved(a + b, c), 0, Known(torch.arange(a))], [a, b, c])


@sample("index_select", "given")
def index_select_given(draw: Draw) -> Sample:
    a, b, c = draw.sizes(3)
    return Sample(aten.index_select.default, [draw.moved(c, a), 1, Given(draw.indices(a, b))], [c])


@sample("index_select", "that moves")
def index_select_moved(draw: Draw) -> Sample:
    a, b, c = draw.sizes(3)
    return Sample(aten.index_select.default, [draw.moved(c, a), 1, Moved(draw.indices(a, b))], [c])
