"""The report's tables, from ``scores.json`` alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from wsframework.pipeline.report.contents import Cell, Row, Table
from wsframework.pipeline.report.findings import level
from wsframework.pipeline.report.numbers import measure, number, points

Scores = Mapping[str, Any]

GROUPS = {"untrained": "Untrained", "learned": "Learned from seen tasks", "control": "Controls"}

PAPER = {"random": (0.4547, 0.0017, 0.0008), "diffusion": (3.5939, 0.0002, 0.0001)}
PAPER_EPOCHS = (0, 10, 19)
NONE = number(None)
SURE = 0.05
"""An adjusted p-value up to this holds."""


def paper_table(scores: Scores) -> Table:
    """Table 1 of the paper beside this run's figures."""
    columns = ("initializer", *(f"epoch {k}: {who}" for k in PAPER_EPOCHS for who in ("paper", "here")))
    ours = {"random": scores["baseline"], "diffusion": scores["reference"]}
    rows = []
    for theirs, name in ours.items():
        figures = scores["epoch_loss"].get(name, {"mean": [], "low": [], "high": []})
        cells = [Cell(f"{theirs} (here: {name})")]
        for epoch, printed in zip(PAPER_EPOCHS, PAPER[theirs], strict=True):
            cells += [Cell(f"{printed:.4f}"), loss_cell(figures, epoch)]
        rows.append(Row(tuple(cells)))
    return Table(columns, tuple(rows), "Mean of the minibatch losses during each epoch, over tasks never seen.")


def initializers_table(scores: Scores) -> Table:
    """Every initializer: loss over the fine-tuning, metric, speed-up; the inapplicable ones with their sentence."""
    last = scores["budget"]["epochs"]
    epochs = sorted({k for k in (0, 1, 5, 10) if k < last} | {last})
    metric = scores["metric"]["name"]
    columns = [
        "initializer",
        *("loss before any step" if k == 0 else f"after epoch {k}" for k in epochs),
        *(f"{metric} {when}" for when in (("before", "after") if last else ("before",))),
        "speed-up (mean)",
        "(median)",
        "never",
    ]
    rows = []
    for title, names in _groups(scores):
        rows.append(Row((Cell(title),), heading=True))
        rows += [_initializer(name, scores, epochs) for name in names]
    caption = (
        f"Mean support loss and query {metric} over {scores['n']} tasks never seen, with {level(scores)} intervals; "
        f"{'more' if scores['metric']['higher_is_better'] else 'less'} {metric} is better. "
        f"Speed-up: {scores['budget']['steps']} gradient steps over the steps that were needed to reach "
        f"{scores['baseline']}'s final support loss, over tasks; never: the share that never did, and counts as 0. "
        "Bold: the best of its column, controls apart."
    )
    return Table(tuple(columns), tuple(rows), caption)


def comparison_table(scores: Scores) -> Table:
    """The paired comparisons with the reference, before any step and at the end."""
    metric = scores["metric"]["name"]
    columns = ("against", "loss before", "loss after", f"{metric} before", f"{metric} after")
    rows = []
    for name, found in scores["comparisons"].items():
        versus = "" if found["reference"] == scores["reference"] else f"from {found['reference']}"
        losses = [times_cell(found[moment]["train_loss"]) for moment in ("before", "last")]
        metrics = [_gain(found[moment]["query_metric"], metric) for moment in ("before", "last")]
        rows.append(Row((Cell(name, versus), *losses, *metrics)))
    unit = ", in percentage points" if metric == "accuracy" else ""
    caption = (
        f"How many times lower the support loss from {scores['reference']} is (geometric mean over {scores['n']} "
        f"tasks, paired; below 1: higher), and by how much its query {metric} is better{unit}. "
        f"Bold: the {level(scores)} interval shows it to be better; worse: shows it to be worse; ?: shows neither. "
        f"Intervals are not adjusted for the number of comparisons; *: so it is after Holm's correction, too, over the "
        f"{len(rows)} of its column."
    )
    return Table(columns, tuple(rows), caption)


def course_table(scores: Scores) -> Table:
    """Area under the fine-tuning curves, and regret against the nearest network, of every initializer."""
    metric, regret = scores["metric"]["name"], scores.get("regret", {})
    columns = ("initializer", "area under support loss", f"area under {metric}", *(["regret"] if regret else []))
    rows = []
    for name, areas in scores["area"].items():
        loss, quality = areas["train_loss"], areas["query_metric"]
        spread = _spread([measure(quality[end], metric).removesuffix(" %") for end in ("low", "high")])
        cells = [Cell(name), figure_cell(loss), Cell(measure(quality["mean"], metric), spread)]
        rows.append(Row((*cells, *([figure_cell(regret[name]["train_loss"], " to ")] if regret else []))))
    caption = "Areas are mean heights of the curves from before any step to the last epoch."
    told = " Regret: area under support loss less that from the nearest network, paired; below 0 is better."
    return Table(columns, tuple(rows), caption + (told if regret else ""))


def votes_table(scores: Scores) -> Table:
    """What several draws for one task say together, beside what each says alone, before any step."""
    metric = scores["metric"]["name"]
    columns = ("draws from", "loss alone", "loss of the vote", f"{metric} alone", f"{metric} of the vote", "gain")
    rows = []
    for name, found in scores["votes"].items():
        losses = [figure_cell(found[f"{who}_query_loss"]) for who in ("single", "vote")]
        figures = [{end: [v] for end, v in found[f"{who}_query_metric"].items()} for who in ("single", "vote")]
        gain = found["metric_gain"]
        write = points if metric == "accuracy" else number
        spread = _spread([write(gain[end]) for end in ("low", "high")], " to ")
        cells = [Cell(f"{name}, {found['members']}"), *losses, *(metric_cell(f, 0, metric) for f in figures)]
        rows.append(Row((*cells, Cell(write(gain["mean"]), spread))))
    caption = "On query data, before any step: the mean over single draws, and their averaged answer."
    return Table(columns, tuple(rows), caption)


def _groups(scores: Scores) -> Iterator[tuple[str, list[str]]]:
    names = [*scores["curves"], *(n for n in scores["not_applicable"] if n not in scores["curves"])]
    for role, title in GROUPS.items():
        found = [name for name in names if _role(name, scores) == role]
        if found:
            yield title, found


def _role(name: str, scores: Scores) -> str:
    plain = scores["roles"].get(name.partition(" (")[0], "learned")
    role = str(scores["roles"].get(name, plain))
    return role if role in GROUPS else "learned"


def _initializer(name: str, scores: Scores, epochs: Sequence[int]) -> Row:
    if name not in scores["curves"]:
        return Row((Cell(name), Cell(f"not applicable: {scores['not_applicable'][name]}")), span=True)
    curves, metric = scores["curves"][name], scores["metric"]["name"]
    cells = [loss_cell(curves["train_loss"], k, _best(name, k, scores, "train_loss")) for k in epochs]
    for k in sorted({epochs[0], epochs[-1]}):
        cells.append(metric_cell(curves["query_metric"], k, metric, _best(name, k, scores, "query_metric")))
    return Row((Cell(name), *cells, *_speed(scores.get("speedup", {}).get(name))))


def _best(name: str, k: int, scores: Scores, quantity: str) -> bool:
    """Whether the mean at index k is the best one, controls apart."""
    means = {n: c[quantity]["mean"][k] for n, c in scores["curves"].items() if _role(n, scores) != "control"}
    higher = quantity == "query_metric" and scores["metric"]["higher_is_better"]
    return name in means and means[name] == (max if higher else min)(means.values())


def loss_cell(figures: Mapping[str, Sequence[float | None]], k: int, best: bool = False) -> Cell:
    """Mean loss at index k, with its interval."""
    if k >= len(figures["mean"]):
        return Cell(NONE)
    return Cell(number(figures["mean"][k]), _spread([number(figures[end][k]) for end in ("low", "high")]), best)


def metric_cell(figures: Mapping[str, Sequence[float | None]], k: int, metric: str, best: bool = False) -> Cell:
    """Mean metric at index k, with its interval."""
    detail = _spread([measure(figures[end][k], metric).removesuffix(" %") for end in ("low", "high")])
    return Cell(measure(figures["mean"][k], metric), detail, best)


def figure_cell(figure: Mapping[str, float | None], to: str = "–") -> Cell:
    """A figure with its interval."""
    return Cell(number(figure["mean"]), _spread([number(figure[end]) for end in ("low", "high")], to))


def _spread(ends: Sequence[str], to: str = "–") -> str:
    return "" if NONE in ends else to.join(ends)


def _speed(speed: Mapping[str, Any] | None) -> tuple[Cell, Cell, Cell]:
    if speed is None:
        return Cell(NONE), Cell(NONE), Cell(NONE)
    never = Cell(f"{100 * speed['never']:.3g} %")
    mean = speed_cell(speed)
    if speed["median"] is None:
        return mean, Cell("< 1"), never
    low, high = speed["median_low"], speed["median_high"]
    ends = "" if high is None else _spread(["< 1" if low is None else number(low), number(high)])
    return mean, Cell(f"{number(speed['median'])}×", ends), never


def speed_cell(speed: Mapping[str, Any]) -> Cell:
    """The mean speed-up, with its interval."""
    return Cell(f"{number(speed['mean'])}×", _spread([number(speed[end]) for end in ("low", "high")]))


def times_cell(found: Mapping[str, Any]) -> Cell:
    """How many times lower a loss is, with its interval, and whether that shows anything."""
    detail = _spread([number(found["times_low"]), number(found["times_high"])])
    return Cell(f"{number(found['times'])}×{_mark(found)}", detail, found["better"])


def _gain(found: Mapping[str, Any], metric: str) -> Cell:
    write = points if metric == "accuracy" else number
    figures = [write(found[name]) for name in ("difference", "low", "high")]
    return Cell(f"{figures[0]}{_mark(found)}", _spread(figures[1:], " to "), found["better"])


def _mark(found: Mapping[str, Any]) -> str:
    if not (found["better"] or found["worse"]):
        return " ?"
    adjusted = found.get("p_holm")
    sure = "" if adjusted is None or adjusted > SURE else " *"
    return f"{'' if found['better'] else ' worse'}{sure}"
