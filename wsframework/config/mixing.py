"""Several ``[[network]]`` tables: the networks of a mixed zoo, each with what the config says otherwise for it.

Besides ``use`` and the part's options, a table has ``name``, ``seen``, and ``set`` with dotted keys::

    [[network]]
    use = "siren"
    name = "pictures"
    set = { "tasks.use" = "images", "zoo.size" = 2000 }
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from wsframework.config.ablation import MistakesOf
from wsframework.config.changing import changed, frozen, leaves
from wsframework.config.filling import Filling
from wsframework.config.sections import Config, Member, PartConfig
from wsframework.errors import nearest
from wsframework.parts.options import Option
from wsframework.parts.registry import Registry
from wsframework.parts.values import shown

KEYS = (Option("name", str, ""), Option("seen", bool, True))
OWN = ("tasks", "zoo", "encoder", "conditioner", "sample", "finetune", "compare")
"""The sections that a member may change for itself; it shares the others."""
NAME = re.compile(r"[A-Za-z][\w-]*")
TAKEN = re.compile(r"figures|stages|checkpoints|seed-\d+")
"""What a run calls folders of its own."""


def single(data: Mapping[str, Any]) -> dict[str, Any]:
    """``data`` without its network where there are several, so that the rest can be read like that of any run."""
    return {key: value for key, value in data.items() if not (key == "network" and isinstance(value, list | tuple))}


def mix(
    data: Mapping[str, Any], registry: Registry, mistakes_of: MistakesOf, before: Sequence[str]
) -> tuple[tuple[Member, ...], list[str]]:
    """The networks of ``data`` where it has several, and what is wrong with them.

    What each changes is tried out: ``mistakes_of`` tells the mistakes of the tables with it in place, and those
    that were not there ``before`` are its own.
    """
    entries = data.get("network")
    if not isinstance(entries, list | tuple):
        return (), []
    filling = Filling(registry)
    if not entries:
        filling.mistakes.append("network = []: should be a table, or several of them, [[network]]")
    if data.get("ablate"):
        filling.mistakes.append("[ablate] stands beside several [[network]] tables: an ablation has one network")
    read = [_member(filling, f"network[{i}]", entry) for i, entry in enumerate(entries)]
    for i, member in enumerate(read):
        own: list[str] = []
        own += mistakes_of(changed(single(data), member.changes, own))
        filling.mistakes += [f"network[{i}].set: {mistake}" for mistake in own if mistake not in before]
    if filling.mistakes:
        return (), filling.mistakes
    members = [replace(member, name=name) for name, member in zip(_names(read), read, strict=True)]
    return tuple(members), list(_unfit(members))


def _member(filling: Filling, where: str, entry: Any) -> Member:
    """One table; its name is empty where it has none."""
    table = filling.table(entry, where)
    own = {key.name: table[key.name] for key in KEYS if key.name in table}
    rest = {name: value for name, value in table.items() if name not in own and name != "set"}
    beside = [*(key.name for key in KEYS), "set"]
    part = filling.part("architecture", rest, where, Config.network.use, beside)
    values = filling.keys(KEYS, own, where)
    changes = {key: frozen(v) for key, v in leaves(filling.table(table.get("set", {}), f"{where}.set"), ())}
    filling.mistakes += _shared(changes, where)
    return Member(values["name"] or "", part, values["seen"], {k: v for k, v in changes.items() if _is_own(k)})


def _is_own(key: str) -> bool:
    return key.partition(".")[0] in OWN and "." in key


def _shared(changes: Iterable[str], where: str) -> Iterator[str]:
    """What is wrong with the keys of a table ``set``, whatever their values."""
    for key in changes:
        if not _is_own(key):
            yield f"{where}.set names {key!r}, no key of a section that one network can change for itself" + nearest(
                key.partition(".")[0], OWN
            )


def _names(members: Sequence[Member]) -> list[str]:
    """Each member's name: its own, or the part's with the options that not all members of that part have alike."""
    return [member.name or _name(member.network, [m.network for m in members]) for member in members]


def _name(part: PartConfig, others: Sequence[PartConfig]) -> str:
    same = [other for other in others if other.use == part.use]
    differing = [k for k, v in part.options.items() if any(other.options.get(k) != v for other in same)]
    words = [part.use, *(shown(part.options[key]) for key in differing)]
    return "-".join(filter(None, (re.sub(r"[^\w.]+", "-", word).strip("-.").replace(".", "_") for word in words)))


def _unfit(members: Sequence[Member]) -> Iterator[str]:
    """What is wrong with the members' names, and with all of them together."""
    folders = [member.name.replace("-", "_") for member in members]
    for name in dict.fromkeys(member.name for member in members):
        if not NAME.fullmatch(name) or TAKEN.fullmatch(name):
            yield f"network.name = {shown(name)}: should be a word of letters, digits, - and _ that names a new folder"
        elif folders.count(name.replace("-", "_")) > 1:
            yield f"several [[network]] tables are called {name!r}, or nearly so: give each a name of its own"
    if not any(member.seen for member in members):
        yield "every [[network]] has seen = false: the zoo needs at least one that is seen"
