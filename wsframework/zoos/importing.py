"""Networks that were trained elsewhere, as a zoo: all mistakes told at once, before anything is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from wsframework.errors import FileError, RequestError, StoreError
from wsframework.events import Observer, Progress, silent
from wsframework.spaces import WeightSpace
from wsframework.tasks import TaskShape
from wsframework.tracing import trace
from wsframework.zoo_store import ZooStore
from wsframework.zoos.entries import Entry, TaskList
from wsframework.zoos.folder import REST
from wsframework.zoos.layout import Layout
from wsframework.zoos.listing import Listing, found_files, matched, read_listing
from wsframework.zoos.states import read_state
from wsframework.zoos.writing import new_folder

SHARD = 2**26
"""About so many bytes are in one shard, 64 MB; at most `BLOCK` networks, at least one."""
BLOCK = 256


def import_zoo(
    paths: Sequence[Path | str],
    tasks: Path | str,
    out: Path | str,
    *,
    network: nn.Module | None = None,
    inputs: tuple[Tensor, ...] = (),
    called: Mapping[str, Any] | None = None,
    observer: Observer = silent,
) -> Path:
    """A zoo in the new folder ``out``, of networks in files of safetensors or ``torch.save``; returns the folder.

    Arguments:
        paths: files, and folders of files.
        tasks: a CSV with a row for each file: the columns ``file`` and ``task``, where wanted ``id``, ``loss`` and
            ``metric``, and the numbers of the task's code in all others.
        network: a module that such weights fit; its symmetries are found by `wsframework.trace`. Without it every dim
            is fixed.
        inputs: example inputs of ``network``.
        called: what the zoo's recipe is to say of the network, in JSON's types.

    Raises:
        FileError: with a sentence for each mistake of all files.
        StoreError: where ``out`` can't be written.
    """
    mistakes: list[str] = []
    listing = read_listing(Path(tasks), mistakes)
    files = matched(listing, found_files([Path(path) for path in paths], mistakes), mistakes) if listing else []
    modelled = _modelled(network, inputs)
    layout = _layout([file for file in files if file is not None], modelled, mistakes)
    if mistakes or listing is None or layout is None:
        raise FileError(str(tasks), mistakes)
    with new_folder(Path(out)) as folder:
        recipe = {"imported": {"network": None, **(called or {})}}
        writer = _Writer(folder, layout, listing, [file for file in files if file is not None], observer)
        writer.write(recipe, modelled.shape(listing.codes.shape[1]))
    return Path(out)


@dataclass(frozen=True, eq=False)
class _Modelled:
    """What a module says of the networks: its space, the keys of its state dict, the shapes of examples and answers."""

    space: WeightSpace | None = None
    state: Mapping[str, Tensor] | None = None
    inputs: tuple[int, ...] = ()
    outputs: tuple[int, ...] = ()

    def shape(self, code: int) -> TaskShape:
        return TaskShape(self.inputs, self.outputs, code)


def _modelled(network: nn.Module | None, inputs: tuple[Tensor, ...]) -> _Modelled:
    if network is None:
        return _Modelled()
    if not inputs:
        raise RequestError("a network's symmetries are found from an example input; give its shape with --input")
    space = trace(network, inputs)
    with torch.no_grad():
        found = network(*inputs)
    outputs = tuple(found.shape[1:]) if isinstance(found, Tensor) else ()
    return _Modelled(space, network.state_dict(), tuple(inputs[0].shape[1:]), outputs)


def _layout(files: Sequence[Path], modelled: _Modelled, mistakes: list[str]) -> Layout | None:
    """That of the first file that can be read; what keeps any file from having it is added to ``mistakes``."""
    layout: Layout | None = None
    for file in files:
        try:
            state = read_state(file)
        except StoreError as error:
            mistakes.append(str(error))
            continue
        layout = layout or Layout.of(state, modelled.space, modelled.state)
        mistakes += [f"{file}: {mistake}" for mistake in layout.mistakes(state)]
    if layout is not None and not layout.space.parameters:
        mistakes.append("no file has a weight: a floating-point tensor with at least one number")
    return layout


class _Writer:
    """Writes the blocks of a zoo whose files were all found right."""

    def __init__(
        self, folder: Path, layout: Layout, listing: Listing, files: Sequence[Path], observer: Observer
    ) -> None:
        self.store, self.layout, self.listing, self.files = ZooStore(folder), layout, listing, files
        self.observer = observer

    def write(self, recipe: Mapping[str, Any], shape: TaskShape) -> None:
        self.store.begin(self.layout.space, recipe, {"layout": self.layout.to_json()})
        TaskList(shape, "", tuple(self._entries())).save(self.store.folder)
        count = max(1, min(BLOCK, SHARD // (self.layout.space.size * self.layout.dtype.itemsize)))
        for block, start in enumerate(range(0, len(self.files), count)):
            rows = range(len(self.files))[start : start + count]
            self._block(block, rows)
            self.observer(Progress("import", rows[-1] + 1, len(self.files), "networks"))

    def _entries(self) -> Iterator[Entry]:
        seen: set[str] = set()
        for task, code in zip(self.listing.tasks, self.listing.codes.tolist(), strict=True):
            if task not in seen:
                yield Entry(task, tuple(code) or None)
            seen.add(task)

    def _block(self, block: int, rows: Sequence[int]) -> None:
        read = [self.layout.row(read_state(self.files[row])) for row in rows]
        rest = {REST + key: torch.stack([rest[key] for _, rest in read]) for key in self.layout.rest}
        figures = {name: values[list(rows)] for name, values in self.listing.figures.items()}
        loss = figures.pop("loss", torch.full((len(rows),), torch.nan))
        index = torch.tensor(self.listing.task_index)[list(rows)]
        ids = [self.listing.ids[row] for row in rows]
        self.store.append(block, torch.stack([x for x, _ in read]), loss, index, 0.0, ids=ids, further=figures | rest)
