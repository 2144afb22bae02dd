"""Networks in folders, whoever wrote them, as weights of one space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from wsframework.errors import FileError, RequestError, StoreError
from wsframework.spaces import Weights, WeightSpace
from wsframework.tracing import trace
from wsframework.zoos.layout import Layout
from wsframework.zoos.listing import found_files
from wsframework.zoos.loading import load_zoo
from wsframework.zoos.states import SUFFIXES, read_state


def read_networks(
    folders: Sequence[Path], network: nn.Module | None = None, inputs: tuple[Tensor, ...] = ()
) -> list[Weights]:
    """The networks of each of the ``folders``, all of one space: that of ``network``, or of a folder that is a zoo.

    Arguments:
        folders: of zoos, or of files of state dicts; a single file is one network.
        network: a module that such weights fit; its symmetries are found by `wsframework.trace`.
        inputs: example inputs of ``network``.

    Raises:
        FileError: with a sentence for each mistake of all files.
        RequestError: where ``network`` has no example inputs.
    """
    if network is not None and not inputs:
        raise RequestError("a network's symmetries are found from an example input; give its shape with --input")
    zoos = {folder: load_zoo(folder).weights for folder in folders if _is_zoo(folder)}
    known = next(iter(zoos.values())).space if zoos else None
    space = known if network is None else trace(network, inputs)
    reader = _Reader(space, None if network is None else network.state_dict())
    found = [reader.of_zoo(f, zoos[f]) if f in zoos else reader.of_files(f) for f in folders]
    if reader.mistakes:
        raise FileError(str(folders[-1]), reader.mistakes)
    return [weights for weights in found if weights is not None]


class _Reader:
    """Reads one folder after the other, and notes what is wrong with their files."""

    def __init__(self, space: WeightSpace | None, module: Mapping[str, Tensor] | None) -> None:
        self.space, self.module = space, module
        self.layout: Layout | None = None
        self.mistakes: list[str] = []

    def of_zoo(self, folder: Path, weights: Weights) -> Weights | None:
        """The zoo's, in the space that is wanted."""
        space = self.space or weights.space
        if space.shapes == weights.space.shapes:
            return Weights(space, weights.x)
        self.mistakes.append(f"{folder}: the networks of this zoo have other parameters than those beside them")
        return None

    def of_files(self, folder: Path) -> Weights | None:
        """Those of all files of state dicts in the folder, or of the file."""
        before = len(self.mistakes)
        files = found_files([folder], self.mistakes)
        if not files and len(self.mistakes) == before:
            self.mistakes.append(f"{folder}: no state dict is here, in a file that ends in {', '.join(SUFFIXES)}")
        rows = [row for file in files.values() if (row := self._row(file)) is not None]
        if not rows or self.layout is None:
            return None
        return Weights(self.layout.space, torch.stack(rows))

    def _row(self, file: Path) -> Tensor | None:
        try:
            state = read_state(file)
        except StoreError as error:
            self.mistakes.append(str(error))
            return None
        self.layout = self.layout or Layout.of(state, self.space, self.module)
        wrong = [f"{file}: {mistake}" for mistake in self.layout.mistakes(state)]
        self.mistakes += wrong
        return None if wrong else self.layout.row(state)[0]


def _is_zoo(folder: Path) -> bool:
    return any(all((folder / n).is_file() for n in names) for names in (("zoo.json",), ("config.json", "index.json")))
