"""From the tables of a file to a `Config`, with all the file's mistakes together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from wsframework.config.ablation import SECTIONS, ablations
from wsframework.config.filling import Filling, keys_of
from wsframework.config.mixing import mix, single
from wsframework.config.sampling import sample_table
from wsframework.config.sections import (
    PART_SECTIONS,
    AuditSection,
    CompareSection,
    Config,
    EngineSection,
    FinetuneSection,
    SampleSection,
    TasksSection,
    TrainSection,
    ZooSection,
)
from wsframework.errors import nearest
from wsframework.parts.options import Option
from wsframework.parts.registry import Registry
from wsframework.parts.values import shown

PLAIN_SECTIONS: dict[str, type] = {
    "zoo": ZooSection,
    "engine": EngineSection,
    "train": TrainSection,
    "sample": SampleSection,
    "finetune": FinetuneSection,
    "audit": AuditSection,
}
TASKS_KEYS = tuple(key for key in keys_of(TasksSection) if key.name != "part")
COMPARE_KEYS = tuple(key for key in keys_of(CompareSection) if key.name != "options")
LARGEST_SEED = 2**63 - 1


def resolve(data: Mapping[str, Any], registry: Registry) -> tuple[Config | None, list[str]]:
    """The config that ``data`` states, or None; and the mistakes in it, one sentence each."""
    one = single(data)
    values, mistakes = _resolve(one, registry)
    values["ablate"], further = ablations(one, lambda other: _resolve(other, registry)[1], mistakes)
    values["mix"], mixed = mix(data, registry, lambda other: _resolve(other, registry)[1], mistakes)
    if values["mix"]:
        values["network"] = values["mix"][0].network
    mistakes = [*mistakes, *further, *mixed]
    return (None if mistakes else Config(**values)), mistakes


def _resolve(data: Mapping[str, Any], registry: Registry) -> tuple[dict[str, Any], list[str]]:
    """Values for everything but ``ablate``."""
    filling = Filling(registry)
    filling.mistakes += _unknown(data)
    values = _scalars(filling, data)
    tables = {name: filling.table(data.get(name, {}), name) for name in _sections()}
    values["tasks"] = _tasks(filling, tables["tasks"])
    for name, kind in PART_SECTIONS.items():
        values[name] = filling.part(kind, tables[name], name, getattr(Config, name).use)
    tables["sample"] = sample_table(tables["sample"], values["scheduler"], registry)
    for name, section in PLAIN_SECTIONS.items():
        values[name] = section(**filling.keys(keys_of(section), tables[name], name))
    values["compare"] = _compare(filling, tables["compare"])
    filling.mistakes += _one_of_steps_and_epochs("train", values["train"])
    filling.mistakes += _one_of_steps_and_epochs("finetune", values["finetune"])
    filling.mistakes += _idle(values["train"])
    filling.mistakes += misplaced(values["zoo"])
    filling.mistakes += _unjudged(values["tasks"])
    return values, filling.mistakes


def _sections() -> tuple[str, ...]:
    return ("tasks", *PART_SECTIONS, *PLAIN_SECTIONS, "compare")


def _unknown(data: Mapping[str, Any]) -> Iterator[str]:
    for name in data:
        if name not in SECTIONS:
            what = f"[{name}]" if isinstance(data[name], Mapping) else f"{name} = {shown(data[name])}"
            yield f"{what}: a config has no {name!r} at its top level{nearest(name, SECTIONS)}"


def _scalars(filling: Filling, data: Mapping[str, Any]) -> dict[str, Any]:
    name, seed = data.get("name"), data.get("seed", Config.seed)
    if not isinstance(name, str) or not name.strip(".") or PurePath(name).name != name or "\\" in name:
        filling.mistakes.append(f"name = {shown(name)}: should be a string that can name a folder")
    if type(seed) is not int or not 0 <= seed <= LARGEST_SEED:
        filling.mistakes.append(f"seed = {shown(seed)}: should be a whole number from 0 to 2^63 - 1")
    repeats = data.get("repeats", Config.repeats)
    if type(repeats) is not int or repeats < 1:
        filling.mistakes.append(f"repeats = {shown(repeats)}: should be a whole number of at least 1")
    return {"name": name, "seed": seed, "repeats": repeats}


def _tasks(filling: Filling, table: Mapping[str, Any]) -> TasksSection:
    own, rest = _split(table, TASKS_KEYS)
    part = filling.part("task_family", rest, "tasks", beside=[key.name for key in TASKS_KEYS])
    return TasksSection(part, **filling.keys(TASKS_KEYS, own, "tasks"))


def _compare(filling: Filling, table: Mapping[str, Any]) -> CompareSection:
    """The initializers listed; options for those, and for others that only have a table of their own."""
    own, rest = _split(table, COMPARE_KEYS)
    values = filling.keys(COMPARE_KEYS, own, "compare")
    names = values["initializers"] or ()
    if "best_of" not in table:
        values["best_of"] = tuple(name for name in values["best_of"] if name in names)
    filling.mistakes += _list_mistakes(names, values["best_of"] or ())
    options = {}
    for name in [name for name in rest if _no_initializer(filling, name, rest[name])]:
        del rest[name]
    for name in dict.fromkeys((*names, *rest)):
        where = f"compare.{name}"
        asked = f"compare.initializers names {name!r}" if name in names else f"[{where}]"
        inner = filling.table(table.get(name, {}), where)
        options[name] = filling.options("initializer", name, inner, where, asked).options
    return CompareSection(**values, options=options)


def _no_initializer(filling: Filling, name: str, value: Any) -> bool:
    """Whether ``[compare]`` has a value for ``name`` as for a key of its own, and there is no initializer so called."""
    initializers = filling.registry.parts("initializer")
    if name in initializers or isinstance(value, Mapping):
        return False
    known = nearest(name, [*(key.name for key in COMPARE_KEYS), *initializers])
    filling.mistakes.append(f"compare.{name} = {shown(value)}: [compare] has no key {name!r}{known}")
    return True


def _split(table: Mapping[str, Any], keys: Iterable[Option]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The entries of a section's own keys, and the others."""
    names = [key.name for key in keys]
    own = {name: value for name, value in table.items() if name in names}
    return own, {name: value for name, value in table.items() if name not in names}


def _list_mistakes(names: Sequence[str], best_of: Sequence[str]) -> Iterator[str]:
    if not names:
        yield "compare.initializers is empty: should name at least one initializer"
    for key, listed in (("initializers", names), ("best_of", best_of)):
        for name in dict.fromkeys(name for name in listed if listed.count(name) > 1):
            yield f"compare.{key} names {name!r} more than once"
    for name in best_of:
        if name not in names:
            yield f"compare.best_of names {name!r}, which is not among compare.initializers{nearest(name, names)}"


def _one_of_steps_and_epochs(where: str, section: TrainSection | FinetuneSection) -> Iterator[str]:
    steps, epochs = section.steps, section.epochs
    if steps and epochs:
        yield f"{where}.steps = {steps} and {where}.epochs = {epochs}: set exactly one of them (0 means not set)"
    if steps == epochs == 0:
        yield f"[{where}] sets neither steps nor epochs: set exactly one of {where}.steps and {where}.epochs"


def _unjudged(tasks: TasksSection) -> Iterator[str]:
    if tasks.judge == "validation" and tasks.validation == 0:
        yield "tasks.judge = 'validation' and tasks.validation = 0: there are no tasks to judge on; draw at least 1"


def misplaced(zoo: ZooSection) -> Iterator[str]:
    """The mistake of ``checkpoints`` that are not ascending, or not before the last epoch."""
    kept, epochs = zoo.checkpoints or (), zoo.epochs
    if list(kept) != sorted(set(kept)) or (epochs and any(epoch >= epochs for epoch in kept)):
        yield (
            f"zoo.checkpoints = {list(kept)}: should be epochs in ascending order, each before the last one, "
            f"zoo.epochs = {epochs}, which is kept in any case"
        )


def _idle(train: TrainSection) -> Iterator[str]:
    if train.denoise_weight == train.output_weight == train.matching_weight == 0:
        yield "train.denoise_weight = 0 and train.output_weight = 0: one must be larger than 0, or nothing is learnt"
    elif train.denoise_weight == 0 < train.matching_weight:
        yield "train.denoise_weight = 0: no zoo network is noised, so no clean estimate is left for the matching term"
    elif train.denoise_weight == train.unroll == 0:
        yield "train.denoise_weight = 0 and train.unroll = 0: no clean estimate is left for the output term to judge"
