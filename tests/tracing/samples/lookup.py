"""Entries found by data."""

from __future__ import annotations

import torch

from samples.sample import Draw, Given, Moved, Sample, family, operator, sample

aten = torch.ops.aten


@sample("embedding")
def embedding(draw: Draw) -> Sample:
    v, d, b, t = draw.sizes(4)
    return Sample(aten.embedding.default, [draw.moved(v, d), Given(draw.indices(v, b, t))], [d])


@sample("embedding", "by what moves")
def embedding_moved(draw: Draw) -> Sample:
    v, d, b, t = draw.sizes(4)
    return Sample(aten.embedding.default, [draw.moved(v, d), Moved(draw.indices(v, b, t))], [d, b, t])


@sample("gather")
def gather(draw: Draw) -> Sample:
    a, b, c = draw.sizes(3)
    return Sample(aten.gather.default, [draw.moved(a, b), 1, Given(draw.indices(b, a, c))], [])


@sample("gather", "by what moves")
def gather_moved(draw: Draw) -> Sample:
    a, b, c = draw.sizes(3)
    return Sample(aten.gather.default, [draw.moved(a, b), 1, Moved(draw.indices(b, a, c))], [a])


@sample("take_along_dim")
def take_along_dim(draw: Draw) -> Sample:
    a, b, c = draw.sizes(3)
    return Sample(aten.take_along_dim.default, [draw.moved(a, b), Given(draw.indices(b, 1, c)), 1], [a])


SCATTER = {"scatter": ("src", []), "scatter_add": ("default", []), "scatter_reduce": ("two", ["sum"])}


@family(SCATTER)
def scatter(name: str, draw: Draw) -> Sample:
    b, c = draw.sizes(2)
    overload, rest = SCATTER[name]
    indices = Given(torch.arange(b)[:, None].expand(b, c))
    return Sample(operator(name, overload), [draw.moved(b, c), 0, indices, draw.moved(b, c), *rest], [])


@family(SCATTER, "by what moves")
def scatter_moved(name: str, draw: Draw) -> Sample:
    b, c = draw.sizes(2)
    overload, rest = SCATTER[name]
    indices = Moved(torch.stack([torch.randperm(b, generator=draw.generator) for _ in range(c)], 1))
    return Sample(operator(name, overload), [draw.moved(b, c), 0, indices, draw.moved(b, c), *rest], [c])


@sample("scatter", "a number")
def scatter_value(draw: Draw) -> Sample:
    b, c = draw.sizes(2)
    indices = Moved(draw.indices(b, b, c))
    return Sample(aten.scatter.value, [draw.moved(b, c), 0, indices, 1.0], [c])


INDEXED = {"index_add": [], "index_copy": [], "index_reduce": ["mean"]}


@family(INDEXED)
def indexed(name: str, draw: Draw) -> Sample:
    a, b, c = draw.sizes(3)
    indices = Given(torch.randperm(a + b, generator=draw.generator)[:b])
    return Sample(operator(name), [draw.moved(a + b, c), 0, indices, draw.moved(b, c), *INDEXED[name]], [c])


@family(INDEXED, "by what moves")
def indexed_moved(name: str, draw: Draw) -> Sample:
    a, b, c = draw.sizes(3)
    indices = Moved(torch.randperm(a + b, generator=draw.generator)[:b])
    return Sample(operator(name), [draw.moved(a + b, c), 0, indices, draw.moved(b, c), *INDEXED[name]], [c])


PUT = ("index_put", "_unsafe_index_put", "_index_put_impl")


@family(PUT)
def put(name: str, draw: Draw) -> Sample:
    a, b, c = draw.sizes(3)
    indices = Given(torch.randperm(a + b, generator=draw.generator)[:b])
    return Sample(operator(name), [draw.moved(a + b, c), [indices], draw.moved(b, c)], [c])


@family(PUT, "along the last axis, the same in every row")
def put_last(name: str, draw: Draw) -> Sample:
    a, b, c = draw.sizes(3)
    mask = Given(torch.arange(a + b) % (a + b - 1) == 0)
    return Sample(operator(name), [draw.moved(c, a + b), [None, mask], draw.moved(c, 1)], [c])


@family(PUT, "along two axes")
def put_pairs(name: str, draw: Draw) -> Sample:
    a, b = draw.sizes(2)
    indices = [Given(draw.indices(a, 2)), Given(draw.indices(b, 2))]
    return Sample(operator(name), [draw.moved(a, b), indices, draw.moved(2)], [])


@family(PUT, "by what moves")
def put_moved(name: str, draw: Draw) -> Sample:
    a, b, c = draw.sizes(3)
    indices = Moved(torch.randperm(a + b, generator=draw.generator)[:b])
    return Sample(operator(name), [draw.moved(a + b, c), [indices], draw.moved(b, c)], [c])


@sample("masked_scatter")
def masked_scatter(draw: Draw) -> Sample:
    a, b = draw.sizes(2)
    return Sample(aten.masked_scatter.default, [draw.moved(a, b), Given(draw.mask(a, b)), draw.moved(a * b)], [])


@sample("masked_scatter", "by what moves")
def masked_scatter_moved(draw: Draw) -> Sample:
    a, b = draw.sizes(2)
    return Sample(aten.masked_scatter.default, [draw.moved(a, b), Moved(draw.mask(a, b)), draw.moved(a * b)], [])


@sample("slice_scatter")
def slice_scatter(draw: Draw) -> Sample:
    a, b, c = draw.sizes(3)
    return Sample(aten.slice_scatter.default, [draw.moved(a + b, c), draw.moved(a, c), 0, 0, a], [c])


@sample("select_scatter")
def select_scatter(draw: Draw) -> Sample:
    a, c = draw.sizes(2)
    return Sample(aten.select_scatter.default, [draw.moved(a, c), draw.moved(c), 0, 1], [c])
