"""The report of a mixed zoo: one table over all its networks, and first of all where the prior loses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from wsframework.pipeline.report.contents import Cell, Row, Section, Table, row
from wsframework.pipeline.report.facts import facts_table
from wsframework.pipeline.report.findings import MOMENTS, compared, level
from wsframework.pipeline.report.numbers import duration
from wsframework.pipeline.report.rendering import rendered
from wsframework.pipeline.report.tables import loss_cell

Scores = Mapping[str, Any]


def write_mixed_report(scores: Scores, folder: Path) -> Path:
    """Writes ``report.md`` and ``report.html`` into ``folder``.

    Arguments:
        scores: ``networks`` says what each is, ``runs`` has the scores of each; with ``cost`` and ``versions``.

    Returns:
        The path of ``report.html``.
    """
    sections = [
        Section("What was found", [*_losses(scores), *_gains(scores), *_silences(scores)], listed=True),
        Section("Every network", tables=[members_table(scores), kinds_table(scores)]),
        Section("Cost", tables=[_cost_table(scores)]),
        Section("Versions", tables=[facts_table(scores["versions"], ("of", "version"))]),
        Section("To repeat it, in this folder", code=str(scores["command"])),
    ]
    return rendered(f"Mixed zoo {scores['name']}", sections, folder)


def members_table(scores: Scores) -> Table:
    """The loss from each initializer, network by network: before any step, after an epoch, after the last."""
    names = list(dict.fromkeys(name for run in scores["runs"].values() for name in run["curves"]))
    rows = []
    for title, place in (("before any step", 0), ("after epoch 1", 1), ("after the last epoch", -1)):
        rows.append(Row((Cell(title),), heading=True))
        rows += [_member(name, scores, names, place) for name in scores["networks"]]
    run = next(iter(scores["runs"].values()))
    caption = (
        f"Mean support loss over each network's tasks never seen, with {level(run)} intervals. Bold: the lowest mean "
        "of its row, controls apart. Losses of different tasks are not to be compared. A network not in the zoo "
        "has no networks to be fitted, chosen or averaged; what needs them has no figure."
    )
    return Table(("network", *names), tuple(rows), caption)


def kinds_table(scores: Scores) -> Table:
    """What each network is, and where its own report lies."""
    rows = []
    for name, told in scores["networks"].items():
        zoo = f"{told['zoo_size']:,}" if told["seen"] else "not in the zoo"
        tasks = str(scores["runs"][name]["n"])
        rows.append(row(name, told["kind"], f"{told['weights']:,}", zoo, tasks, f"{told['folder']}/report.html"))
    caption = "Networks of one kind share the roles of their parameters, and with them the denoiser's matrices."
    columns = ("network", "kind", "weights", "networks in the zoo", "tasks judged", "its own report")
    return Table(columns, tuple(rows), caption)


def _member(name: str, scores: Scores, names: list[str], place: int) -> Row:
    run = scores["runs"][name]
    at = place if place >= 0 else run["budget"]["epochs"]
    means = {n: c["train_loss"]["mean"][at] for n, c in run["curves"].items() if at < len(c["train_loss"]["mean"])}
    rivals = {n: mean for n, mean in means.items() if run["roles"].get(n) != "control"}
    best = min(rivals, key=lambda n: rivals[n], default="")
    cells = [loss_cell(run["curves"][n]["train_loss"], at, n == best) if n in means else Cell("–") for n in names]
    return Row((Cell(_title(name, scores)), *cells))


def _title(name: str, scores: Scores) -> str:
    return name if scores["networks"][name]["seen"] else f"{name} (not in the zoo)"


def _losses(scores: Scores) -> Iterator[str]:
    """A sentence for each moment: from whom, and for which networks, the prior is shown to be worse."""
    for moment, when in MOMENTS.items():
        worse = {name: _winners(run, moment) for name, run in scores["runs"].items()}
        parts = [f"for {_title(name, scores)} from {', '.join(found)}" for name, found in worse.items() if found]
        if parts:
            yield f"The prior loses: {when}, its support loss is higher {'; '.join(parts)}."
        else:
            yield f"Nowhere is the prior's support loss {when} shown to be higher than another initializer's."


def _gains(scores: Scores) -> Iterator[str]:
    """For each network, the prior against random initialisation, or what is first compared."""
    for name, run in scores["runs"].items():
        rival = run["baseline"] if run["baseline"] in run["comparisons"] else next(iter(run["comparisons"]), None)
        if rival is not None:
            found = run["comparisons"][rival]
            parts = [f"{when}, {compared(found[m]['train_loss'], level(run))}" for m, when in MOMENTS.items()]
            yield f"{_title(name, scores)}, the prior's support loss against {rival!r}: {'; '.join(parts)}."


def _winners(run: Scores, moment: str) -> list[str]:
    """The initializers than which the prior is shown to be worse, controls marked; not its own best draws."""
    return [
        f"{n} (a control)" if run["roles"].get(n) == "control" else n
        for n, found in run["comparisons"].items()
        if not n.startswith(f"{run['reference']} (") and found[moment]["train_loss"]["worse"]
    ]


def _silences(scores: Scores) -> Iterator[str]:
    """What has no answer, and why."""
    reasons: dict[str, dict[str, list[str]]] = {}
    for name, run in scores["runs"].items():
        for initializer, reason in run["not_applicable"].items():
            reasons.setdefault(reason, {}).setdefault(name, []).append(initializer)
    for reason, found in reasons.items():
        parts = [f"{', '.join(names)} for {name}" for name, names in found.items()]
        yield f"Not applicable, as {reason.rstrip('.')}: {'; '.join(parts)}."


def _cost_table(scores: Scores) -> Table:
    costs = {name: float(cost["seconds"]) for name, cost in scores["cost"].items()}
    rows = [row(name, duration(seconds)) for name, seconds in costs.items()]
    caption = "The training of the prior is one for all; besides it, all stages of each network."
    return Table(("of", "time"), (*rows, row("all", duration(sum(costs.values())))), caption)
