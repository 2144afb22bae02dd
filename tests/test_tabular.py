"""`tabular`: the rows of five data sets, what is asked of them, and what splits don't share."""

from __future__ import annotations

from itertools import islice
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from wsf_tasks.tables import tables
from wsf_tasks.tabular import Asked, Tabular

from wsframework.errors import PartError, RequestError
from wsframework.tasks import Task, TaskSplits

SEEDS = st.integers(0, 2**40)


def draw(seed: int, sizes: tuple[int, int, int], **options: Any) -> TaskSplits:
    return Tabular(**options).draw(*sizes, torch.Generator().manual_seed(seed))


def about(task: Task) -> tuple[str, str, str]:
    """The data set, the question, the columns."""
    table, _, rest = task.text.partition(": ")
    question, _, columns = rest.rpartition(", from ")
    return table, question, columns


@pytest.mark.parametrize("table", tables(), ids=lambda table: table.name)
def test_blurred_values_keep_their_order_and_no_rows_are_the_same(table: Any) -> None:
    x = table.blurred(torch.Generator().manual_seed(0))
    for values, blurred in zip(table.x.T, x.T, strict=True):
        order = values.argsort(stable=True)
        rises = values[order].diff() > 0
        lower = torch.where(rises, blurred[order][:-1].cummax(0).values, float("-inf"))
        assert (lower < blurred[order][1:]).all()
    assert len(torch.unique(x.float(), dim=0)) == len(x)
    assert len(table.classes) == int(table.y.max()) + 1


@settings(max_examples=4)
@given(seed=SEEDS, features=st.integers(2, 5))
def test_no_two_splits_share_columns_of_a_table(seed: int, features: int) -> None:
    splits = draw(seed, (40, 12, 12), features=features)
    sets = [{about(t)[::2] for t in split} for split in (splits.seen, splits.validation, splits.held_out)]
    assert len(set().union(*sets)) == sum(map(len, sets))
    tasks = [*splits.seen, *splits.validation, *splits.held_out]
    assert len({about(t) for t in tasks}) == 64
    assert all(len(about(t)[2].split(", ")) == features for t in tasks)


@settings(max_examples=4)
@given(seed=SEEDS)
def test_whole_tables_are_held_out(seed: int) -> None:
    splits = draw(seed, (9, 6, 6), hold_out="sets")
    seen, validation, held_out = ({about(t)[0] for t in s} for s in (splits.seen, splits.validation, splits.held_out))
    assert (len(seen), len(validation), len(held_out)) == (3, 1, 1)
    assert len(seen | validation | held_out) == 5
    assert all(f"about {name}" in splits.drawn for (name,) in (validation, held_out))


def asked(name: str, seed: int = 0) -> Asked:
    """Half of the rows of a table, and the other half."""
    (table,) = (table for table in tables() if table.name == name)
    half = len(table.x) // 2
    return Asked.of(table, 4, half, half, torch.Generator().manual_seed(seed))


def standardised(x: Tensor) -> Tensor:
    return (x - x.mean(0)) / x.std(0)


@pytest.mark.parametrize("name", ["wine", "iris", "diabetes"])
def test_every_row_is_there_once_with_its_class(name: str) -> None:
    part = asked(name)
    x, y = (torch.cat([getattr(part.support, axis), getattr(part.query, axis)]) for axis in ("x", "y"))
    place = torch.cdist(standardised(x.double()), standardised(part.table.x)).argmin(1)
    assert len(place.unique()) == len(part.table.x) - (name == "iris")  # of whose flowers two measure the same
    assert torch.equal(part.table.y[place], y)
    torch.testing.assert_close(part.support.x.std(0), torch.ones(x.shape[1]), rtol=1e-4, atol=1e-4)


@settings(max_examples=5)
@given(seed=SEEDS, name=st.sampled_from(["wine", "iris", "breast cancer", "handwritten digits", "diabetes"]))
def test_a_task_is_what_its_text_says(seed: int, name: str) -> None:
    part = asked(name, seed)
    for task in islice(part.tasks("seen"), 10):
        table, question, columns = about(task)
        places = [part.table.columns.index(column) for column in columns.split(", ")]
        yes, no = (set(words.split(" or ")) for words in question.split(" against "))
        assert (table, yes | no, yes & no) == (name, set(part.table.classes), set())
        for data, whole in ((task.support, part.support), (task.query, part.query)):
            assert torch.equal(data.x, whole.x[:, places])
            assert data.y.tolist() == [int(part.table.classes[label] in yes) for label in whole.y]


def test_refusals_are_sentences() -> None:
    with pytest.raises(PartError, match="2 tables have 500 rows and 4 columns; with hold_out = 'sets', 3 are needed"):
        draw(0, (1, 1, 1), points=300, query=200, hold_out="sets")
    wine = next(table for table in tables() if table.name == "wine")
    questions = 6 * 13  # {one class} or {two classes} of three, from 12 of 13 columns
    part = Asked.of(wine, 12, 40, 40, torch.Generator().manual_seed(0))
    assert len({about(task) for task in part.tasks("seen")}) == len(list(part.tasks("seen"))) == questions
    with pytest.raises(RequestError, match=r"1000000 held_out tasks of 'tabular' were asked for; there are 6$"):
        next(draw(seed, (1, 1, 10**6), hold_out="sets", points=40, query=40) for seed in range(9) if small(seed))


def small(seed: int) -> bool:
    """Whether iris, of which there are six tasks, is held out."""
    return about(draw(seed, (0, 0, 1), hold_out="sets", points=40, query=40).held_out[0])[0] == "iris"
