"""Inputs and labels from a file: safetensors, .pt or .npz, none of them ever unpickled."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from wsframework.errors import RequestError, StoreError, nearest
from wsframework.zoos.states import SUFFIXES, read_state

ARRAYS = ".npz"


def read_examples(path: Path) -> tuple[Tensor, Tensor]:
    """Inputs ``x`` (points, ...) and labels ``y`` (points, ...), the tensors of these names in the file.

    Raises:
        RequestError: where the file can't be read, or one of them is not in it.
    """
    try:
        found = _arrays(path) if path.suffix == ARRAYS else read_state(path)
    except StoreError as error:
        raise RequestError(str(error) if path.suffix in (*SUFFIXES, ARRAYS) else _refusal(path)) from None
    for name in ("x", "y"):
        if name not in found:
            raise RequestError(f"{path}: there is no tensor {name!r}{nearest(name, found)}; x are inputs, y labels")
    x, y = found["x"], found["y"].long()
    if not len(x) or len(x) != len(y):
        raise RequestError(
            f"{path}: x has {len(x)} points, and y {len(y)}; there is a label for each, and at least one"
        )
    return x.float() if x.is_floating_point() else x, y


def _refusal(path: Path) -> str:
    return f"{path}: inputs are in a file that ends in {', '.join((*SUFFIXES, ARRAYS))}"


def _arrays(path: Path) -> dict[str, Tensor]:
    try:
        with zipfile.ZipFile(path) as file:
            return {name.removesuffix(".npy"): _array(file, name) for name in file.namelist()}
    except (OSError, ValueError, TypeError, zipfile.BadZipFile) as error:
        raise StoreError(f"{path}: can't be read as arrays of numbers ({error})") from None


def _array(file: zipfile.ZipFile, name: str) -> Tensor:
    with file.open(name) as content:
        return torch.from_numpy(np.lib.format.read_array(content, allow_pickle=False))
