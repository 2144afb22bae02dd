"""`Ranks`: processes that train one prior together, as torchrun starts them, each on its share of every batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, distributed


@dataclass(frozen=True)
class Ranks:
    """Which of how many processes this one is. All draw the same batches; gradients are summed over their shares.

    Attributes:
        rank: the number of this process, from 0.
        count: of processes.
    """

    rank: int = 0
    count: int = 1

    @classmethod
    def here(cls) -> Ranks:
        """Those of torch's process group; one process where there is none."""
        if distributed.is_available() and distributed.is_initialized():
            return cls(distributed.get_rank(), distributed.get_world_size())
        return cls()

    def share(self, rows: int) -> tuple[slice, float]:
        """The rows of a batch that are this process's, and what part of the batch they are.

        Where there are fewer rows than processes, one that is left without takes the first row, as nothing of it.
        """
        start, end = (rows * k // self.count for k in (self.rank, self.rank + 1))
        return (slice(start, end), (end - start) / rows) if start < end else (slice(0, 1), 0.0)

    def add(self, tensors: Sequence[Tensor]) -> None:
        """Put into each of the tensors, of one dtype and device, the sum of what the processes have there."""
        if self.count == 1:
            return
        flat = torch.cat([tensor.detach().flatten() for tensor in tensors])
        distributed.all_reduce(flat)
        for tensor, total in zip(tensors, torch.split(flat, [tensor.numel() for tensor in tensors]), strict=True):
            tensor.detach().copy_(total.view_as(tensor))

    def whole(self, own: Tensor, rows: int) -> Tensor:
        """A batch (rows, ...) of which each process has its `share`, ``own`` (some, ...)."""
        if self.count == 1:
            return own
        mine, part = self.share(rows)
        found = own.new_zeros(rows, *own.shape[1:])
        if part:
            found[mine] = own
        self.add([found])
        return found

    def said(self, text: str = "") -> str:
        """What process 0 says, heard by all of them."""
        content = torch.tensor(list(text.encode()), dtype=torch.uint8)
        length = torch.tensor(len(content))
        distributed.broadcast(length, 0)
        content = content if self.rank == 0 else torch.empty(int(length), dtype=torch.uint8)
        distributed.broadcast(content, 0)
        return bytes(content.tolist()).decode()


ALONE = Ranks()
