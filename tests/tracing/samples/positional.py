"""The order along some axes matters."""

from __future__ import annotations

import torch

from samples.sample import Draw, Moved, Sample, family, operator, sample

aten = torch.ops.aten

POOLS = ("max_pool{}d", "avg_pool{}d", "adaptive_max_pool{}d", "adaptive_avg_pool{}d")
UPSAMPLED = {
    "upsample_nearest{}d": [], "_upsample_nearest_exact{}d": [], "upsample_linear{}d": [False],
    "upsample_bilinear{}d": [False], "upsample_bicubic{}d": [False], "upsample_trilinear{}d": [False],
    "_upsample_bilinear{}d_aa": [False], "_upsample_bicubic{}d_aa": [False],
}  # fmt: skip
RANKS = {"linear": (1,), "bilinear": (2,), "bicubic": (2,), "trilinear": (3,)}


def _pools() -> dict[str, int]:
    names = {pool.format(rank): rank for pool in POOLS for rank in (1, 2, 3)}
    indexed = {f"max_pool{rank}d_with_indices": rank for rank in (2, 3)}
    return names | indexed | {f"_adaptive_avg_pool{rank}d": rank for rank in (2, 3)}


def _upsamplings() -> dict[str, tuple[int, list]]:
    ranks = {name: next((r for word, r in RANKS.items() if f"_{word}" in name), (1, 2, 3)) for name in UPSAMPLED}
    return {name.format(rank): (rank, UPSAMPLED[name]) for name in UPSAMPLED for rank in ranks[name]}


@family(_pools())
def pool(name: str, draw: Draw) -> Sample:
    b, c = draw.sizes(2)
    rank = _pools()[name]
    return Sample(operator(name), [draw.moved(b, c, *[4] * rank), [2] * rank], [b, c])


@family(_upsamplings())
def upsampling(name: str, draw: Draw) -> Sample:
    b, c = draw.sizes(2)
    rank, rest = _upsamplings()[name]
    return Sample(operator(name), [draw.moved(b, c, *[3] * rank), [5] * rank, *rest], [b, c])


PADS = {f"{kind}_pad{rank}d": rank for kind in ("reflection", "replication") for rank in (1, 2, 3)}


@family(PADS)
def pad(name: str, draw: Draw) -> Sample:
    b, c = draw.sizes(2)
    return Sample(operator(name), [draw.moved(b, c, *[3] * PADS[name]), [1, 1] * PADS[name]], [b, c])


@sample("constant_pad_nd")
@sample("pad")
def constant_pad(draw: Draw) -> Sample:
    a, b, c = draw.sizes(3)
    return Sample(aten.constant_pad_nd.default, [draw.moved(a, b, c), [0, 0, 1, 2], 0.5], [a, c])


ALONG = ("cumsum", "cumprod", "logcumsumexp", "cummax", "cummin", "sort", "argsort")


@family(ALONG)
def along(name: str, draw: Draw) -> Sample:
    a, b = draw.sizes(2)
    return Sample(operator(name), [draw.moved(a, b), 0], [b])


@sample("sort", "stable")
def stable(draw: Draw) -> Sample:
    a, b = draw.sizes(2)
    return Sample(aten.sort.stable, [draw.moved(a, b)], [b], {"stable": True, "dim": 0})


@sample("topk")
def topk(draw: Draw) -> Sample:
    a, b = draw.sizes(2)
    return Sample(aten.topk.default, [draw.moved(a, b), 2, 1], [a])


@sample("renorm")
def renorm(draw: Draw) -> Sample:
    a, b = draw.sizes(2)
    return Sample(aten.renorm.default, [draw.moved(a, b), 2, 0, 0.5], [b])


@family(["cumsum", "logcumsumexp"], "within heads")
def along_heads(name: str, draw: Draw) -> Sample:
    h, k = draw.sizes(2)
    x = draw.moved(h * k, view=lambda array: array.reshape(h, k))
    return Sample(operator(name), [x, 1], [h])


@family(["sort", "topk"], "of which it is not asked what stood where")
def sorted_values(name: str, draw: Draw) -> Sample:
    a, b = draw.sizes(2)
    rest = [0] if name == "sort" else [2, 0]
    return Sample(operator(name), [draw.moved(a, b), *rest], [a, b], used=frozenset({0}))


FOURIER = {"_fft_r2c": [True], "_fft_c2r": [4], "_fft_c2c": [True]}


@family(FOURIER)
def fourier(name: str, draw: Draw) -> Sample:
    a, b = draw.sizes(2)
    x = draw.normal(a, 3, b)
    x = x if name == "_fft_r2c" else torch.complex(x, draw.normal(a, 3, b))
    return Sample(operator(name), [Moved(x), [1], 0, *FOURIER[name]], [a, b])


@family(["tril", "triu"])
def triangle(name: str, draw: Draw) -> Sample:
    a, b, c = draw.sizes(3)
    return Sample(operator(name), [draw.moved(a, b, c)], [a])


@sample("im2col")
def im2col(draw: Draw) -> Sample:
    b, c = draw.sizes(2)
    return Sample(aten.im2col.default, [draw.moved(b, c, 3, 3), [2, 2], [1, 1], [0, 0], [1, 1]], [])


@sample("col2im")
def col2im(draw: Draw) -> Sample:
    b, c = draw.sizes(2)
    return Sample(aten.col2im.default, [draw.moved(b, 4 * c, 4), [3, 3], [2, 2], [1, 1], [0, 0], [1, 1]], [])


@family(["grid_sampler_2d", "grid_sampler_3d"])
def grid_sampler(name: str, draw: Draw) -> Sample:
    b, c = draw.sizes(2)
    rank = int(name[-2])
    grid = Moved(draw.normal(b, *[2] * rank, rank).tanh())
    return Sample(operator(name), [draw.moved(b, c, *[3] * rank), grid, 0, 0, False], [])


@sample("view_as_complex")
def to_complex(draw: Draw) -> Sample:
    a, b = draw.sizes(2)
    return Sample(aten.view_as_complex.default, [draw.moved(a, b, 2)], [a, b])


@sample("view_as_real")
def to_real(draw: Draw) -> Sample:
    a, b = draw.sizes(2)
    return Sample(aten.view_as_real.default, [Moved(torch.complex(draw.normal(a, b), draw.normal(a, b)))], [a, b])
