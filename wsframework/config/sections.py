"""The sections of a run's config, as frozen dataclasses: field names are the TOML keys, defaults the defaults.

Bounds stand beside the type as annotations (`Annotated[int, Least(1)]`), so that a mistake can be told from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from wsframework.config.later import later
from wsframework.parts.values import Least, Most

Count = Annotated[int, Least(1)]
Whole = Annotated[int, Least(0)]
Rate = Annotated[float, Least(0, strict=True)]
Weight = Annotated[float, Least(0)]
Decay = Annotated[float, Least(0), Most(1, strict=True)]


@dataclass(frozen=True)
class PartConfig:
    """``use = NAME`` and the part's options; a nested part is a PartConfig among the options."""

    use: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class TasksSection:
    """The task family, and how many tasks of each split.

    ``judge`` names the split that initializers are judged on: while tuning, validation; once, held_out.
    """

    part: PartConfig
    seen: Count
    validation: Whole = 100
    held_out: Count = 200
    judge: Literal["held_out", "validation"] = "held_out"


@dataclass(frozen=True)
class ZooSection:
    """``size`` networks, trained for ``epochs`` with Adam at ``lr`` on minibatches of ``batch`` support examples.

    Networks are trained in blocks of ``block`` side by side; the block belongs to the recipe. Their weights after the
    epochs in ``checkpoints`` (0: as they were initialised) are kept beside the last ones.
    """

    size: Count
    epochs: Count = 20
    lr: Rate = 0.01
    batch: Count = 32
    block: Count = 256
    checkpoints: tuple[Whole, ...] = later(())


@dataclass(frozen=True)
class EngineSection:
    """Who trains the zoo's networks, one thread each; none of it changes a number.

    ``use`` is ``local`` (this machine) or ``ray`` (a Ray cluster; needs the extra ``ray``). ``workers`` are the blocks
    that are trained at once (0: as many as cores, where that is worth it). ``address`` is that of a running Ray
    cluster; without it one is started on this machine.
    """

    use: Literal["local", "ray"] = "local"
    workers: Whole = 0
    address: str = ""


@dataclass(frozen=True)
class TrainSection:
    """Training of the denoiser with Adam: exactly one of ``steps`` and ``epochs`` (shuffled passes over the zoo).

    With ``steps``, every minibatch is drawn with replacement. ``clip`` bounds the norm of the gradient (0: does not).
    ``predict`` is what the network's output means. ``ema`` is the decay of the averaged weights that sample
    (0: none). ``decay`` lets the rate fall to zero along a cosine. ``augment`` moves every network of a batch by a
    random symmetry of its own. ``output_weight`` weighs the output term: the task loss of the decoded clean estimate on
    seen tasks' support data. With ``unroll`` = 0 the estimates are those of the noised zoo networks; else they are
    those along ``unroll`` steps of the sampler from noise, for any seen task, whether the zoo has it or not.
    ``denoise_weight`` weighs the paper's loss (0 leaves the output term alone). ``precision`` is what the denoiser
    multiplies matrices in; weights, gradients and losses are in float32 in any case.

    In the denoising loss, ``weighting`` gives times the weight ``min(SNR, min_snr_gamma)`` of their clean estimate, or
    leaves what is predicted as it is; ``average`` counts every coordinate, or every orbit, alike. ``matching_weight``
    weighs the matching term: how far the answers of decoded clean estimates are from those of the noised zoo networks.
    """

    steps: Whole = 0
    epochs: Whole = 0
    batch: Count = 64
    lr: Rate = 1e-3
    clip: Weight = 1.0
    predict: Literal["epsilon", "v", "clean"] = "v"
    ema: Decay = 0.998
    decay: bool = True
    augment: bool = False
    denoise_weight: Weight = 1.0
    output_weight: Weight = 0.0
    unroll: Whole = 0
    precision: Literal["float32", "bfloat16"] = later("float32")
    weighting: Literal["none", "min_snr"] = later("none")
    min_snr_gamma: Rate = later(5.0)
    average: Literal["coordinates", "orbits"] = later("coordinates")
    matching_weight: Weight = later(0.0)


@dataclass(frozen=True)
class SampleSection:
    """Sampling: ``steps`` of the scheduler (0: its own grid), ``draws`` a task, ``best_of`` for choice and votes.

    ``scheduler`` samples in place of the one that the prior is trained with, through the same noise.
    """

    steps: Whole = 0
    draws: Count = 1
    best_of: Count = 8
    scheduler: PartConfig | None = later(None, kind="scheduler")


@dataclass(frozen=True)
class FinetuneSection:
    """Fine-tuning of every initializer alike: exactly one of ``epochs`` and ``steps``, Adam at ``lr``.

    ``support`` limits the support examples of each judged task (0: all of them), for whoever looks at them: what
    describes a task, chooses among draws, or fine-tunes. ``drop_last`` leaves out the last
    minibatch of a pass where it is smaller than ``batch``.
    """

    epochs: Whole = 0
    steps: Whole = 0
    support: Whole = 0
    lr: Rate = 0.01
    batch: Count = 32
    drop_last: bool = False


@dataclass(frozen=True)
class CompareSection:
    """The initializers of the report, in its order, and options for each (``[compare.NAME]``).

    From each initializer in ``best_of``, ``sample.best_of`` weights are drawn; the report adds the one with the
    lowest support loss, and the vote of all.
    """

    initializers: tuple[str, ...] = ("random", "member", "mean", "nearest", "ridge", "prior")
    best_of: tuple[str, ...] = ("prior",)
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class AuditSection:
    """The audit of memorisation: of as many draws of the prior, one a task, as there are ``samples`` (0: none).

    They are compared with ``zoo`` networks of the zoo at most, evenly spread over it (0: with all), and each aligned
    with the ``candidates`` that may be nearest.
    """

    samples: Whole = 50
    zoo: Whole = 1000
    candidates: Annotated[int, Least(2)] = 16


Ablation = tuple[Any, ...] | Mapping[str, Mapping[str, Any]]
"""The values to try for a key; or, by name, variants that each set several keys together."""


@dataclass(frozen=True)
class Member:
    """One of several ``[[network]]`` tables: a network of a mixed zoo.

    ``name`` is that of its folder, and in reports (by default made from what tells it from the others). With ``seen``
    = false the zoo has no network of it: weights are generated for it, and judged. ``changes``, in a file the table
    ``set``, are values for further keys of the config, which for this network alone replace the config's own.
    """

    name: str
    network: PartConfig
    seen: bool = True
    changes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Config:
    """One run, resolved: every default filled in, those of the parts' options too.

    With several ``[[network]]`` tables, ``mix`` has them all, and ``network`` is the first.
    """

    name: str
    seed: int = 0
    repeats: Count = 1
    tasks: TasksSection
    network: PartConfig = PartConfig("mlp")
    zoo: ZooSection
    engine: EngineSection = EngineSection()
    encoder: PartConfig = PartConfig("orbit")
    conditioner: PartConfig = PartConfig("moments")
    scheduler: PartConfig = PartConfig("ddpm")
    denoiser: PartConfig = PartConfig("deepsets")
    train: TrainSection
    sample: SampleSection = SampleSection()
    finetune: FinetuneSection
    compare: CompareSection = CompareSection()
    audit: AuditSection = AuditSection()
    ablate: Mapping[str, Ablation] = field(default_factory=dict)
    mix: tuple[Member, ...] = ()


PART_SECTIONS: dict[str, str] = {
    "network": "architecture",
    "encoder": "encoder",
    "conditioner": "conditioner",
    "scheduler": "scheduler",
    "denoiser": "denoiser",
}
"""The sections that are one part each, and the kind of it."""
