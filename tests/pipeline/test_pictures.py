"""Pictures: what networks say of the tasks judged first, as it is, beside the truth."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from made_curves import falling
from tiny import REGISTRY, TABLES, Heard, made, tiny
from torch import Tensor

from wsframework.pipeline import plane
from wsframework.pipeline.evaluate import evaluate
from wsframework.pipeline.gathering import gather
from wsframework.pipeline.held import Held
from wsframework.pipeline.pictures import SHOWN, Shown, can_show, load_shown, look, save_shown
from wsframework.pipeline.plane import examples, grid
from wsframework.pipeline.report import write_report
from wsframework.pipeline.report.pictures import draw_pictures
from wsframework.pipeline.single import Run


def a_run(folder: Path, use: str = "dynamics", **options: object) -> Run:
    changes = {f"tasks.{key}": value for key, value in options.items()}
    own = {"tasks.use": use, "network.widths": [6], "network.activation": "tanh", "conditioner.use": "code"}
    tables = {**TABLES, "tasks": {"use": use, "seen": 4, "validation": 2, "held_out": 4}}
    return Run(made({**own, **changes}, tables), REGISTRY, folder, "cpu")


def networks(run: Run, count: int = SHOWN) -> Tensor:
    return run.architecture.initialize(run.family.shape, count, torch.Generator().manual_seed(3))


def test_curves_are_the_outputs_of_the_networks_before_and_after(tmp_path: Path) -> None:
    run = a_run(tmp_path, points=20)
    x = networks(run)
    found = run.pictures({"random": x, "mean": 0 * x})
    assert [one.task for one in found] == [task.text for task in run.judged[:SHOWN]]
    for place, one in enumerate(found):
        assert one.at is not None
        module = run.architecture.network(run.family.shape)
        module.load_state_dict(run.space.unflatten(x[place]))
        assert torch.allclose(one.before["random"], module(one.at.unsqueeze(-1)), atol=1e-6)
        assert not one.before["mean"].any()
        assert one.after["random"].shape == one.truth.shape
        assert not torch.equal(one.after["random"], one.before["random"])


def test_a_second_run_keeps_the_networks_that_were_fine_tuned(tmp_path: Path) -> None:
    first, again = (a_run(tmp_path, points=20) for _ in range(2))
    kept = first.pictures({"random": networks(first)})
    heard = again.observer = Heard()
    same = again.pictures({"random": networks(again)})
    assert heard.reused() == {"pictures"}
    for a, b in zip(kept, same, strict=True):
        assert torch.equal(a.after["random"], b.after["random"])
    again.pictures({"random": networks(again) + 1})
    assert heard.reused() == set()


def test_a_run_holds_pictures_as_long_as_the_networks_that_they_show(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = a_run(tmp_path, points=20)
    assert not Held(first).holds("pictures")
    labels = list(gather(first).curves)
    again, read = a_run(tmp_path, points=20), []
    kept = again.kept
    monkeypatch.setattr(again, "kept", lambda name: read.append(name) or kept(name))
    held = Held(again)
    assert all(held.holds(stage) for stage in [*(f"finetune-{label}" for label in labels), "pictures"])
    assert sorted(read) == sorted({label.split(" (")[0] for label in labels}), "each file is read once"
    assert len(labels) > len(read)
    assert not Held(a_run(tmp_path, points=21)).holds("pictures")


def test_an_image_is_what_the_family_makes_of_the_outputs(tmp_path: Path) -> None:
    run = a_run(tmp_path, "images", size=8, colour=True)
    x = networks(run, 1)
    (one,) = look(run.family, run.architecture, run.judged[:1], {"random": x}, {"random": x})
    task = run.judged[0]
    assert one.at is None
    assert one.truth.shape == one.before["random"].shape == (8, 8, 3)
    cells = ((task.query.x + 1) * 4).long()
    assert torch.allclose(one.truth[cells[:, 0], cells[:, 1]], (task.query.y + 1) / 2, atol=1e-6)
    assert torch.equal(one.before["random"], one.after["random"])


def test_a_map_of_classes_has_the_networks_answer_at_every_place(tmp_path: Path) -> None:
    """The network's answer at the middle of a cell is what its colour is nearest to, but for dots."""
    run = Run(tiny(), REGISTRY, tmp_path, "cpu")
    x, task = networks(run, 1), run.judged[0]
    (one,) = look(run.family, run.architecture, run.judged[:1], {"random": x}, {"random": x})
    module = run.architecture.network(run.family.shape)
    module.load_state_dict(run.space.unflatten(x[0]))
    cells, side = grid(task), plane.SIDE
    assert cells[0, 0] < cells[side - 1, 0]
    assert cells[0, 1] > cells[-1, 1], "rows from the top"
    empty = (examples(task) == 1).all(-1).flatten()
    away = torch.cdist(one.before["random"].reshape(-1, 3), 1 - plane.PALE * (1 - plane.COLOURS[:2]))
    answers = module(cells)
    sure = empty & ((answers[:, 0] - answers[:, 1]).abs() > 1e-3)
    assert sure.sum() > side
    assert torch.equal(away.argmin(-1)[sure], answers.argmax(-1)[sure])


def test_examples_lie_where_they_are(tmp_path: Path) -> None:
    """The dot nearest to an example has the colour of its class."""
    run = Run(tiny(), REGISTRY, tmp_path, "cpu")
    task = run.judged[0]
    image, cells = examples(task).reshape(-1, 3), grid(task)
    dotted = (image != 1).any(-1)
    width = cells[1, 0] - cells[0, 0]
    for place, label in zip(task.query.x, task.query.y, strict=True):
        away = (cells - place).norm(dim=-1).where(dotted, torch.inf)
        assert away.min() < 2 * width
        near = image[away < 2 * width]
        assert (near == plane.DARK * plane.COLOURS[label]).all(-1).any()


def test_pictures_are_read_back_as_they_were(tmp_path: Path) -> None:
    for at in (None, torch.linspace(0, 1, 5)):
        given = shown(at, torch.rand(5, 2))
        save_shown(given, tmp_path / "shown")
        for a, b in zip(given, load_shown(tmp_path / "shown"), strict=True):
            assert (a.task, a.at is None) == (b.task, b.at is None)
            assert torch.equal(a.truth, b.truth)
            assert list(a.before) == list(b.before)
            assert torch.equal(a.after["random"], b.after["random"])
    save_shown([], tmp_path / "shown")
    assert load_shown(tmp_path / "shown") == []


def test_families_without_a_view_have_no_pictures(tmp_path: Path) -> None:
    run = Run(tiny(tasks__dimension=3), REGISTRY, tmp_path, "cpu")
    assert not can_show(run.family, run.judged)
    assert run.pictures({"random": networks(run)}) == []


def shown(at: Tensor | None, values: Tensor) -> list[Shown]:
    return [Shown(f"task {k}", at, values, {"random": values}, {"random": values.flip(0)}) for k in range(2)]


@pytest.mark.parametrize("colours", [(), (3,)], ids=["grey", "colour"])
def test_images_are_drawn_as_they_are(tmp_path: Path, colours: tuple[int, ...]) -> None:
    figure = draw_pictures(shown(None, torch.rand(5, 5, *colours)), tmp_path)
    assert figure.shows.endswith("from the left: task 0; task 1.")
    assert figure.svg.count(b"<image ") == 8  # of two tasks, at two stages, the truth and one network
    assert (tmp_path / "pictures.png").exists()


def test_the_report_has_a_section_of_pictures_where_there_are_some(tmp_path: Path) -> None:
    scores = evaluate({"random": falling("random", 1.0, 0, 8, epochs=2)}, "mse", False, resamples=50)
    write_report(scores, tmp_path, shown(torch.linspace(0, 1, 16), torch.rand(16, 2)))
    page = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "## What networks say\n" in page
    assert "from the left: task 0; task 1.](figures/pictures.png)" in page
    write_report(scores, tmp_path)
    assert "What networks say" not in (tmp_path / "report.md").read_text(encoding="utf-8")
