"""What the reference pages must say, made from the code: rows of tables, by section."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from wsframework.config.filling import keys_of
from wsframework.config.mixing import KEYS
from wsframework.config.resolving import COMPARE_KEYS, PLAIN_SECTIONS, TASKS_KEYS
from wsframework.config.sections import PART_SECTIONS, Config
from wsframework.parts.interfaces import Part
from wsframework.parts.options import MISSING, Option, options_of


def row(option: Option) -> str:
    """The first three cells of an option's row: its key, what it takes, its default."""
    takes = str(option).replace("|", "\\|")
    return f"| `{option.name}` | {takes} | {default(option.default)} |"


def default(value: Any) -> str:
    """A default as TOML has it."""
    if value is MISSING:
        return "required"
    return "none" if value is None else f"`{toml(value)}`"


def toml(value: Any) -> str:
    """A plain value as TOML has it."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml, value))}]"
    return json.dumps(value)


def config_rows() -> dict[str, list[str]]:
    """The rows of each section of a config, by the section's name; those of the top level under ``top level``."""
    plain = {name: keys_of(section) for name, section in PLAIN_SECTIONS.items()}
    keys: dict[str, Iterable[Option]] = {"tasks": TASKS_KEYS, **plain, "compare": COMPARE_KEYS}
    rows = {f"[{name}]": [row(key) for key in section] for name, section in keys.items()}
    for name in PART_SECTIONS:
        rows[f"[{name}]"] = [f"| `use` | the name of a part | `{json.dumps(getattr(Config, name).use)}` |"]
    rows["[tasks]"].append("| `use` | the name of a part | required |")
    rows["[[network]]"] = [row(key) for key in KEYS] + ["| `set` | a table of keys | none |"]
    top = {key.name: key for key in keys_of(Config) if key.name not in (*keys, *PART_SECTIONS, "mix")}
    rows["top level"] = [f"| `{name}` |" for name in top]
    return rows


def part_rows(part: type[Part]) -> list[str]:
    """What the section of ``part`` must hold: its options' rows, its claim, its paper."""
    told = [row(option) for option in options_of(part).values()]
    told += [f"Claims to be {part.symmetry}."] if part.symmetry else []
    return told + ([part.paper] if part.paper else [])


def sections(text: str, level: int) -> dict[str, str]:
    """The text below each heading of ``level``, by the heading without its backticks."""
    marks = "#" * level
    parts = re.split(rf"^{marks} (.+)$", text, flags=re.MULTILINE)
    bodies = (re.split(rf"^#{{1,{level}}} ", body, flags=re.MULTILINE)[0] for body in parts[2::2])
    return dict(zip((heading.replace("`", "") for heading in parts[1::2]), bodies, strict=True))
