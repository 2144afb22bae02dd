"""Whether the prior gives networks of the zoo: what the audit says, in words and beside its references."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wsframework.pipeline.report.contents import Section, Table, row
from wsframework.pipeline.report.facts import facts_table, plain
from wsframework.pipeline.report.verdict import capital

APART = ("verdict", "references")


def memorization_section(audit: Mapping[str, Any]) -> Section:
    """The verdict, the references as a table, then all other figures.

    Arguments:
        audit: ``verdict``: a sentence, or a mapping with a ``sentence``; ``references``: by name, a mapping of figures;
            whatever else it found.
    """
    verdict = audit.get("verdict", {})
    verdict = verdict if isinstance(verdict, Mapping) else {"sentence": verdict}
    others = {k: v for k, v in verdict.items() if k != "sentence"} | {k: v for k, v in audit.items() if k not in APART}
    tables = [_references(audit["references"])] if audit.get("references") else []
    facts = facts_table(others)
    lead = [_sentence(str(verdict["sentence"]))] if "sentence" in verdict else []
    return Section("Memorisation", lead=lead, tables=[*tables, *([facts] if facts.rows else [])])


def _references(found: Mapping[str, Mapping[str, Any]]) -> Table:
    """A row for each reference; of a figure with an interval, its mean."""
    columns = tuple(dict.fromkeys(key for figures in found.values() for key in figures))
    rows = tuple(row(name, *(_value(figures.get(key, "–")) for key in columns)) for name, figures in found.items())
    told = "What the same figures are for weights of which it is known whether they are copies."
    return Table(("reference", *(key.replace("_", " ") for key in columns)), rows, told)


def _value(value: Any) -> str:
    return plain(value.get("mean")) if isinstance(value, Mapping) else plain(value)


def _sentence(text: str) -> str:
    return f"{capital(text)}{'' if text.endswith('.') else '.'}"
