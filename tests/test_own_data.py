"""A CSV reads back as what was written, and each mistake in it is a sentence."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from priors_for_tests import prior

import wsframework as wsf
from wsframework.errors import DataError, RequestError
from wsframework.prior import Prior
from wsframework.prior_config import Origin

numbers = st.floats(width=32, allow_nan=False, allow_infinity=False)
names = st.text(st.characters(exclude_categories=["C"]), max_size=8).map(lambda text: f"k{text}".strip())


def written(path: Path, names: Sequence[str], rows: Sequence[Sequence[Any]], encoding: str = "utf-8") -> Path:
    with path.open("w", newline="", encoding=encoding) as file:
        csv.writer(file).writerows([names, *rows])
    return path


@given(data=st.data(), bom=st.booleans(), blanks=st.integers(0, 2))
def test_a_table_reads_back(data: st.DataObject, bom: bool, blanks: int) -> None:
    inputs, classes = data.draw(st.integers(1, 3)), data.draw(st.integers(2, 3))
    called = data.draw(st.lists(names, min_size=classes, max_size=classes, unique=True))
    order = data.draw(st.permutations([*called, *data.draw(st.lists(st.sampled_from(called)))]))
    x = [data.draw(st.lists(numbers, min_size=inputs, max_size=inputs)) for _ in order]
    place = data.draw(st.integers(0, inputs))
    rows = [[*row[:place], label, *row[place:]] for row, label in zip(x, order, strict=True)]
    header = [f"x{i}" for i in range(inputs)]
    header.insert(place, "label")
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder) / "mine.csv", header, rows, "utf-8-sig" if bom else "utf-8")
        path.write_bytes(path.read_bytes() + b"\r\n" * blanks)
        task = wsf.read_task(path, prior(inputs, classes))
    assert task.name == "mine"
    assert task.classes == tuple(sorted(called))
    assert torch.equal(task.support.x, torch.tensor(x))
    assert [task.classes[i] for i in task.support.y.tolist()] == order
    assert task.support.y.dtype == torch.int64
    assert len(task.query) == 0


@given(labels=st.lists(st.integers(-100, 100), min_size=3, max_size=3, unique=True))
def test_classes_that_are_numbers_are_in_their_order(labels: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder) / "mine.csv", ("x", "label"), [(1.0, label) for label in labels])
        task = wsf.read_task(path, prior(1, 3))
    assert task.classes == tuple(map(str, sorted(labels)))
    assert task.support.y.tolist() == [sorted(labels).index(label) for label in labels]


def test_one_number_written_in_two_ways_is_one_class(tmp_path: Path) -> None:
    path = written(tmp_path / "mine.csv", ("x", "label"), [(1, "1"), (2, " 1.0"), (3, "0")])
    task = wsf.read_task(path, prior(1, 2))
    assert (task.classes, task.support.y.tolist()) == (("0", "1"), [1, 1, 0])


@given(rows=st.lists(st.tuples(numbers, numbers, numbers), min_size=1), swapped=st.booleans())
def test_a_regression_reads_back(rows: list[tuple[float, float, float]], swapped: bool) -> None:
    labels = ("b", "a") if swapped else ("a", "b")
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder) / "mine.csv", ("a", "x", "b"), rows)
        task = wsf.read_task(path, prior(1, 2, "regression"), labels)
    a, x, b = torch.tensor(rows).T
    assert torch.equal(task.support.x, x[:, None])
    assert torch.equal(task.support.y, torch.stack((b, a) if swapped else (a, b), 1))
    assert task.objective.metric == "mse"


GOOD = "x,y,label\n1,2,a\n3,4,b\n"
BAD: dict[str, tuple[str | bytes, Sequence[str]]] = {
    "empty": ("", ["the file is empty"]),
    "blank": ("\n\n", ["the file is empty"]),
    "header only": ("x,y,label\n\n", ["there are no rows below the names"]),
    "not UTF-8": (GOOD.encode() + b"5,6,\xff\n", ["line 4: this is not UTF-8 text"]),
    "UTF-16": (GOOD.encode("utf-16"), ["line 1: this is not UTF-8 text"]),
    "semicolons": (GOOD.replace(",", ";"), ["line 1: the columns look separated by ';'; separate them by ','"]),
    "tabs": (GOOD.replace(",", "\t"), ["line 1: the columns look separated by tabs; separate them by ','"]),
    "open quote": (GOOD + '5,6,"b\n', ["line 4: this is not CSV", "is a quotation mark missing?"]),
    "no label": (GOOD.replace("label", "labels"), ["there is no column 'label'; did you mean 'labels'?", "--label"]),
    "no label at all": (GOOD.replace("label", "z"), ["there is no column 'label'; there are 'x', 'y', 'z'"]),
    "no names": ("1,2,a\n3,4,b\n", ["there are '1', '2', 'a'. Is line 1, which should name the columns, data"]),
    "an index": (",x,y,label\n0,1,2,a\n1,3,4,b\n", ["column 1 has no name", "3 ('', 'x', 'y')", "the prior takes 2"]),
    "the same name": ("x,x,label\n1,2,a\n3,4,b\n", ["2 columns are called 'x'"]),
    "too few features": ("x,label\n1,a\n3,b\n", ["columns besides the label: 1 ('x'), where the prior takes 2"]),
    "a short row": (GOOD + "5,6\n", ["line 4: 2 cells, where line 1 names 3 columns"]),
    "a long row": (GOOD + "5,6,a,b\n", ["line 4: 4 cells, where line 1 names 3 columns"]),
    "a blank row": (GOOD + "\n5,6,a\n", ["line 4: empty; remove the line"]),
    "text": (GOOD + "5,six,a\n", ["line 4, column 'y': the cell is 'six', which is no number"]),
    "an underscore": (GOOD + "5,1_0,a\n", ["line 4, column 'y': the cell is '1_0', which is no number"]),
    "a decimal comma": (GOOD + '5,"6,5",a\n', ["line 4, column 'y'", "'6,5', which is no number; write the decimal"]),
    "decimal commas": ('x,y,label\n1,"2,5",a\n3,"4,5",b\n', ["column 'y' has no number", "write the decimal point"]),
    "a column of text": ("x,y,label\n1,p,a\n3,q,b\n", ["column 'y' has no number in it ('p', 'q'); leave it out"]),
    "an empty cell": (GOOD + "5, ,a\n", ["line 4, column 'y': the cell is empty"]),
    "NaN": (GOOD + "5,NaN,a\n", ["line 4, column 'y': the cell is 'NaN'; every cell has a finite number"]),
    "infinity": (GOOD + "5,-inf,a\n", ["line 4, column 'y': the cell is '-inf'; every cell has a finite number"]),
    "a column too large": ("x,y,label\n1,1e39,a\n2,1e40,b\n", ["2 mistakes", "line 3, column 'y': the cell is '1e40'"]),
    "too large": (GOOD + "5,1e39,a\n", ["line 4, column 'y': the cell is '1e39', beyond the largest number"]),
    "no class": (GOOD + "5,6,\n", ["line 4, column 'label': the class is missing"]),
    "one class": ("x,y,label\n1,2,a\n3,4,a\n", ["column 'label' has one class only ('a'); the prior tells 2 apart"]),
    "three classes": (GOOD + "5,6,c\n", ["column 'label' has 3 classes ('a', 'b', 'c'); the prior tells 2 apart"]),
    "lines within cells": ('x,y,label\n1,2,"a\nb"\n3,x,c\n', ["line 4, column 'y': the cell is 'x'"]),
    "a row too long": ("x,y,label\n1,2,a\n3,4,5,b\n", ["1 mistake", "line 3: 4 cells, where line 1 names 3"]),
    "two columns of labels": ("x,label,label\n1,a,b\n2,b,a\n", ["1 mistake", "2 columns are called 'label'"]),
    "two mistakes": ("x,y,label\n1,2,a\n3,z,a\n", ["2 mistakes", "column 'label' has one class", "line 3, column 'y'"]),
}


@pytest.mark.parametrize(("content", "told"), BAD.values(), ids=BAD)
def test_a_bad_file_is_told(content: str | bytes, told: Sequence[str], tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(DataError) as error:
        wsf.read_task(path, prior())
    assert str(error.value).startswith(f"{path}: ")
    assert [words for words in told if words not in str(error.value)] == []


def test_fewer_classes_than_the_prior_has(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(GOOD)
    with pytest.raises(DataError, match="2 classes \\('a', 'b'\\); the prior tells 3 apart"):
        wsf.read_task(tmp_path / "mine.csv", prior(2, 3))


def test_of_many_mistakes_the_first_are_shown_and_all_counted(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(GOOD + "5,six,a\n" * 400)
    with pytest.raises(DataError) as error:
        wsf.read_task(tmp_path / "mine.csv", prior())
    assert len(error.value.mistakes) == 400
    assert "400 mistakes" in str(error.value)
    assert str(error.value).endswith("\n  and 390 more")
    assert len(str(error.value).splitlines()) == 12


def test_a_missing_file_and_a_folder_are_told(tmp_path: Path) -> None:
    for name in ("iris.csv", "inf.csv"):
        (tmp_path / name).write_text(GOOD)
    for asked, told in (
        ("irsi.csv", "no such file; did you mean 'iris.csv'"),
        ("z", "no such file$"),
        ("missing.csv", "no such file$"),
        ("irsi", "no such file; did you mean 'iris.csv'"),
        ("", "a folder"),
    ):
        with pytest.raises(DataError, match=told):
            wsf.read_task(tmp_path / asked, prior())


@pytest.mark.parametrize(
    ("made", "label", "told"),
    [
        (lambda: prior(), ("a", "b"), "in 1 column; named were 'a', 'b'"),
        (lambda: prior(1, 2, "regression"), "a", "in 2 columns, in order; named were 'a'"),
        (lambda: prior(1, 2, "regression"), ("a", "a"), "in 2 columns, in order; named were 'a', 'a'"),
        (lambda: Prior(prior().design, prior().shape, origin=Origin()), "a", "an objective of their own"),
        (lambda: Prior(prior().design, prior().shape, origin=Origin("tokens")), "a", "have labels at every position"),
    ],
)
def test_labels_that_the_prior_does_not_have_are_told(made: Any, label: Any, told: str, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=told):
        wsf.read_task(tmp_path / "never-read.csv", made(), label)


@given(order=st.permutations(range(8)))
def test_the_order_of_rows_does_not_matter(order: Sequence[int]) -> None:
    rows = [(i, (i * i) % 7, "ab"[i % 2]) for i in range(8)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mine.csv"
        first, second = (
            wsf.read_task(written(path, ("x", "y", "label"), these), prior())
            for these in (rows, [rows[i] for i in order])
        )
    a, b = (prior().sample(task, 2, torch.Generator().manual_seed(0)).x for task in (first, second))
    torch.testing.assert_close(a, b)
