"""The table ``[ablate]``: what to try in place of a config's own values.

For a dotted key, a list of values. For any other name, a table of *named variants*, each a table of the keys
that it sets together::

    [ablate]
    train.lr = [0.001, 0.0001]

    [ablate.model]
    set = { encoder.use = "orbit", denoiser.use = "deepsets" }
    flat = { encoder.use = "coordinate", denoiser.use = "mlp_unet" }
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from wsframework.config.changing import changed, frozen, leaves
from wsframework.config.sections import Ablation, Config
from wsframework.errors import nearest
from wsframework.parts.values import shown

MistakesOf = Callable[[Mapping[str, Any]], Sequence[str]]
SECTIONS = tuple(field.name for field in fields(Config) if field.name != "mix")


def ablations(
    data: Mapping[str, Any], mistakes_of: MistakesOf, before: Sequence[str]
) -> tuple[dict[str, Ablation], list[str]]:
    """What to try for each key or set of variants of ``data["ablate"]``, and what is wrong with it.

    Each value and each variant is tried out: ``mistakes_of`` tells the mistakes of the tables with it in
    place, and those that were not there ``before`` are its own.
    """
    table = data.get("ablate", {})
    if not isinstance(table, Mapping):
        return {}, [f"ablate = {shown(table)}: should be a table of dotted keys, each with a list of values"]
    trial = _Trial(data, mistakes_of, before)
    found: dict[str, Ablation] = {}
    for name, value in table.items():
        if isinstance(value, Mapping) and name not in SECTIONS:
            found[name] = _variants(name, value, trial)
        else:
            found |= {key: _values(key, values, trial) for key, values in leaves(value, (name,))}
    return found, trial.mistakes


class _Trial:
    """Tries changes of a config's tables, and notes what is wrong with them."""

    def __init__(self, data: Mapping[str, Any], mistakes_of: MistakesOf, before: Sequence[str]) -> None:
        self.data, self.mistakes_of, self.before = data, mistakes_of, before
        self.mistakes: list[str] = []

    def of(self, changes: Mapping[str, Any], where: str) -> None:
        """Note the mistakes that come with ``changes``, as those of ``where``."""
        own: list[str] = []
        own += self.mistakes_of(changed(self.data, changes, own))
        self.mistakes += [f"{where}: {mistake}" for mistake in own if mistake not in self.before]


def _values(key: str, values: Any, trial: _Trial) -> tuple[Any, ...]:
    if not isinstance(values, list | tuple) or not values:
        trial.mistakes.append(f"ablate.{key} = {shown(values)}: should be a list of at least one value for {key}")
        return ()
    for value in values:
        trial.of({key: value}, f"ablate.{key}")
    return tuple(frozen(value) for value in values)


def _variants(name: str, table: Mapping[str, Any], trial: _Trial) -> dict[str, dict[str, Any]]:
    """The keys that each variant of the set ``name`` changes."""
    found: dict[str, dict[str, Any]] = {}
    if not table:
        trial.mistakes.append(f"[ablate.{name}] is empty: should have a table of keys for each variant")
    for variant, keys in table.items():
        if not isinstance(keys, Mapping):
            trial.mistakes.append(
                f"ablate.{name}.{variant} = {shown(keys)}: a config has no section {name!r}{nearest(name, SECTIONS)}; "
                f"and were {name!r} a set of named variants, {variant} should be a table of the keys that it sets"
            )
            continue
        found[variant] = {key: frozen(value) for key, value in leaves(keys, ())}
        trial.of(found[variant], f"ablate.{name}.{variant}")
    return found
