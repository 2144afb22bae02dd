"""`Shapes`: solids in space, each a function from a place to the signed distance of its surface."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations_with_replacement
from typing import Annotated, Literal

import torch
from torch import Tensor
from torch.nn.functional import normalize

from wsf_tasks.dealt import dealt
from wsf_tasks.distances import examples, scan
from wsf_tasks.independent import seeded
from wsf_tasks.solids import KINDS, PARAMETERS, drawn, union
from wsframework.parts.interfaces import TaskFamily
from wsframework.parts.values import Least, Most
from wsframework.tasks import OBJECTIVES, Data, Task, TaskShape, TaskSplits

Kinds = tuple[str, str]
SIDE, STEPS = 48, 48


class Shapes(TaskFamily):
    """How far is a place in [-1, 1]^3 from the surface of a shape, and on which side? Negative is inside.

    A shape is the smooth union of two solids, each a sphere, a box, a torus or a capsule, along an axis of its own.
    Of the ten pairs of kinds two are held out, and two others are for validation: their halves were seen, and not
    they together. Half of the examples lie near the surface.

    Arguments:
        code: what is known of a shape: its ``parameters``, a coarse ``scan`` of its distances, or none.
        scan: cells of a scan along each side.
        points: support examples a task.
        query: query examples a task.
    """

    name = "shapes"
    paper = "Park et al. 2019, arXiv:1901.05103"

    def __init__(
        self,
        *,
        code: Literal["parameters", "scan", "none"] = "parameters",
        scan: Annotated[int, Least(1), Most(16)] = 4,
        points: Annotated[int, Least(1)] = 256,
        query: Annotated[int, Least(1)] = 256,
    ) -> None:
        self.code, self.scan, self.points, self.query = code, scan, points, query

    @property
    def shape(self) -> TaskShape:
        """A place in, a distance out."""
        return TaskShape((3,), (1,), {"parameters": len(PARAMETERS), "scan": self.scan**3, "none": 0}[self.code])

    def draw(self, seen: int, validation: int, held_out: int, generator: torch.Generator) -> TaskSplits:
        """Splits of the pairs of kinds, then shapes of each split's own, each with a seed of its own."""
        kinds = dealt(list(combinations_with_replacement(KINDS, 2)), 2, generator)
        told = {split: " and ".join(" with ".join(pair) for pair in own) for split, own in kinds.items()}
        sentence = (
            f"Held-out shapes are unions of {told['held_out']}, those for validation of {told['validation']}, "
            f"and seen ones of the {len(kinds['seen'])} other pairs of {', '.join(KINDS)}."
        )
        return seeded(
            lambda split, count, stream: self._tasks(split, kinds[split], count, stream),
            (seen, validation, held_out),
            generator,
            sentence,
        )

    def _tasks(self, split: str, kinds: Sequence[Kinds], count: int, generator: torch.Generator) -> list[Task]:
        pairs = [kinds[i] for i in torch.randint(len(kinds), (count,), generator=generator).tolist()]
        return [self._task(f"{split}-{i}", pair, generator) for i, pair in enumerate(pairs)]

    def _task(self, name: str, kinds: Kinds, generator: torch.Generator) -> Task:
        parameters = drawn(kinds, generator)

        def distance(p: Tensor) -> Tensor:
            return union(p, parameters)

        known = {"parameters": parameters, "scan": scan(distance, 3, self.scan), "none": None}
        return Task(
            name=name,
            shape=self.shape,
            support=examples(distance, 3, self.points, generator),
            query=examples(distance, 3, self.query, generator),
            objective=OBJECTIVES["regression"],
            code=known[self.code],
            text=f"a {kinds[0]} and a {kinds[1]} as one",
            facts=dict(zip(PARAMETERS, parameters.tolist(), strict=True)),
        )

    def canvas(self, task: Task) -> Data:
        """Places along parallel rays through the shape, and their distances."""
        x = rays()
        return Data(x, union(x, torch.tensor([task.facts[name] for name in PARAMETERS])).unsqueeze(-1))

    def picture(self, outputs: Tensor) -> Tensor:
        """What one sees along the rays: the first surface, lit from above; (height, width) in [0, 1]."""
        along = outputs.reshape(SIDE, SIDE, STEPS)
        inside = (along < 0) & (rays().abs() <= 1).all(-1).reshape(along.shape)
        first = inside.int().argmax(-1, keepdim=True)
        normal = torch.stack([g.gather(-1, first).squeeze(-1) for g in torch.gradient(along)], -1)
        light = normalize(torch.tensor([-0.6, -0.4, -0.7]), dim=0)
        shade = 0.15 + 0.8 * (normalize(normal, dim=-1) @ light).clamp(min=0)
        return torch.where(inside.any(-1), shade, 1.0)


@lru_cache(maxsize=1)
def rays() -> Tensor:
    """Places on parallel rays, seen obliquely from above: rows from the top, columns, then depth, (places, 3)."""
    forward = normalize(torch.tensor([-0.6, -0.5, -0.62]), dim=0)
    right = normalize(torch.linalg.cross(forward, torch.tensor([0.0, 0.0, 1.0])), dim=0)
    down = torch.linalg.cross(forward, right)
    across, depth = torch.linspace(-0.95, 0.95, SIDE), torch.linspace(-1.3, 1.3, STEPS)
    return torch.cartesian_prod(across, across, depth) @ torch.stack([down, right, forward])
