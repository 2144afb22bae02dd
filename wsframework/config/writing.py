"""Writing a config back as TOML: what stands in a run's folder, with every default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

import tomlkit

from wsframework.config.sections import PART_SECTIONS, Config, Member, PartConfig


def to_toml(config: Config) -> str:
    """``config`` as TOML with every default; `read_config` gives an equal config from it."""
    return tomlkit.dumps(to_tables(config))


def to_tables(config: Config) -> dict[str, Any]:
    """``config`` as plain tables, in the layout of a file."""
    tasks = {f.name: getattr(config.tasks, f.name) for f in fields(config.tasks) if f.name != "part"}
    part = _plain(config.tasks.part)
    tables: dict[str, Any] = {"name": config.name, "seed": config.seed, "repeats": config.repeats}
    tables["tasks"] = {"use": part.pop("use"), **tasks, **part}
    tables["network"] = [_member(member) for member in config.mix] or _plain(config.network)
    tables["zoo"] = asdict(config.zoo)
    tables |= {name: _plain(getattr(config, name)) for name in PART_SECTIONS if name != "network"}
    tables |= {name: _section(getattr(config, name)) for name in ("train", "sample", "finetune", "audit")}
    compare = {f.name: getattr(config.compare, f.name) for f in fields(config.compare) if f.name != "options"}
    tables["compare"] = _plain({**compare, **config.compare.options})
    if config.ablate:
        tables["ablate"] = _plain(config.ablate)
    return tables


def _section(section: Any) -> dict[str, Any]:
    return {f.name: _plain(value) for f in fields(section) if (value := getattr(section, f.name)) is not None}


def _member(member: Member) -> dict[str, Any]:
    further = {"set": _plain(member.changes)} if member.changes else {}
    return {**_plain(member.network), "name": member.name, "seen": member.seen, **further}


def _plain(value: Any) -> Any:
    """``value`` in TOML's own types."""
    if isinstance(value, PartConfig):
        return {"use": value.use, **_plain(value.options)}
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value
