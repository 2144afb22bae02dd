"""The digits family: its splits, its data, its sentences."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from wsf_tasks.codes import CODES, separation
from wsf_tasks.digits import Digits, images

from wsframework.errors import RequestError
from wsframework.tasks import Task, TaskBatch, TaskSplits

SEEDS = st.integers(0, 2**40)


def draw(seed: int, sizes: tuple[int, int, int], **options: float) -> TaskSplits:
    return Digits(**options).draw(*sizes, torch.Generator().manual_seed(seed))  # type: ignore[arg-type]


def bits_of(task: Task) -> tuple[int, ...]:
    assert task.code is not None
    return tuple((task.code > 0).int().tolist())


def hamming(a: tuple[int, ...], b: tuple[int, ...]) -> int:
    return sum(x != y for x, y in zip(a, b, strict=True))


def complement(a: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(1 - x for x in a)


@settings(deadline=None, max_examples=15)
@given(seed=SEEDS, validation=st.integers(0, 31), held_out=st.integers(1, 41))
def test_splits_are_disjoint_and_keep_complements_together(seed: int, validation: int, held_out: int) -> None:
    splits = draw(seed, (200, validation, held_out))
    groups = [[bits_of(t) for t in split] for split in (splits.seen, splits.validation, splits.held_out)]
    assert [len(g) for g in groups] == [200, validation, held_out]
    assert len(set().union(*groups)) == 200 + validation + held_out
    for place, group in enumerate(groups):
        others = set().union(*(set(g) for other, g in enumerate(groups) if other != place))
        assert not {complement(code) for code in group} & others


@settings(deadline=None, max_examples=15)
@given(seed=SEEDS, distance=st.integers(1, 3), pairs=st.integers(1, 6))
def test_seen_codes_keep_their_distance(seed: int, distance: int, pairs: int) -> None:
    splits = draw(seed, (60, 2 * (pairs // 2), 2 * (pairs - pairs // 2)), distance=distance)
    kept = [bits_of(t) for t in (*splits.validation, *splits.held_out)]
    for mine, theirs in product(map(bits_of, splits.seen), kept):
        assert min(hamming(mine, theirs), hamming(mine, complement(theirs))) >= distance


@settings(deadline=None, max_examples=10)
@given(seed=SEEDS, distance=st.integers(1, 4), held_out=st.integers(1, 8))
def test_refusal_names_exactly_the_number_available(seed: int, distance: int, held_out: int) -> None:
    with pytest.raises(RequestError) as caught:
        draw(seed, (CODES + 1, 0, held_out), distance=distance)
    available = int(str(caught.value).split()[-1])
    assume(available > 0)
    assert len(draw(seed, (available, 0, held_out), distance=distance).seen) == available
    with pytest.raises(RequestError, match=f"there are {available}$"):
        draw(seed, (available + 1, 0, held_out), distance=distance)


@settings(deadline=None, max_examples=20)
@given(codes=st.lists(st.integers(1, CODES), min_size=1), others=st.lists(st.integers(1, CODES)))
def test_separation_ignores_which_output_is_which(codes: list[int], others: list[int]) -> None:
    mine, theirs = torch.tensor(codes), torch.tensor(others, dtype=torch.long)
    found = separation(mine, theirs)
    assert torch.equal(found, separation(1023 - mine, theirs))
    assert torch.equal(found, separation(mine, 1023 - theirs))
    assert found.max() <= 5


def test_without_further_splits_every_code_is_seen() -> None:
    splits = draw(0, (CODES, 0, 0))
    assert len({bits_of(t) for t in splits.seen}) == CODES == 1022
    assert len({t.name for t in splits.seen}) == CODES


def originals(x: torch.Tensor) -> torch.Tensor:
    """Which image of the data set each of all 1797 standardised ones is: both sets brought to mean 0, deviation 1."""
    raw, _ = images()
    both = [((v - v.mean(0)) / (v - v.mean(0)).square().mean().sqrt()).double() for v in (x, raw)]
    distance, place = torch.cdist(*both).min(1)
    assert distance.max() < 1e-3
    return place


def test_all_tasks_share_one_tensor_of_images() -> None:
    splits = draw(1, (6, 2, 2))
    tasks = [*splits.seen, *splits.validation, *splits.held_out]
    assert all(t.support.x is tasks[0].support.x and t.query.x is tasks[0].query.x for t in tasks)
    assert TaskBatch.of(tasks).support.x.stride(0) == 0


@settings(deadline=None, max_examples=5)
@given(seed=SEEDS, share=st.floats(0.1, 0.6))
def test_images_are_split_once_and_alike_for_every_digit(seed: int, share: float) -> None:
    task = draw(seed, (1, 0, 0), query_share=share).seen[0]
    together = torch.cat([task.support.x, task.query.x])
    x, _ = images()
    assert len(together) == len(x) == 1797
    assert originals(together).sort().values.tolist() == list(range(1797))
    assert task.support.x.mean(0).abs().max() < 1e-5
    assert task.support.x.square().mean().item() == pytest.approx(1, abs=1e-4)
    positive = [data.y.float().mean().item() for data in (task.support, task.query)]
    assert positive[0] == pytest.approx(positive[1], abs=0.03)
    assert len(task.query) == pytest.approx(1797 * share, abs=1)
    assert 0 <= x.min() < x.max() == 1


def test_labels_follow_the_code() -> None:
    _, digit = images()
    task = draw(2, (1, 0, 0)).seen[0]
    code = bits_of(task)
    found = originals(torch.cat([task.support.x, task.query.x]))[len(task.support) :]
    for place, label in zip(found, task.query.y, strict=True):
        assert code[int(digit[place])] == label
    positive = ", ".join(str(d) for d in range(10) if code[d])
    assert task.text == f"digits {positive} against the rest"


def test_one_generator_gives_one_draw() -> None:
    first, again, other = draw(5, (20, 4, 4)), draw(5, (20, 4, 4)), draw(6, (20, 4, 4))
    assert [t.name for t in first.seen] == [t.name for t in again.seen] != [t.name for t in other.seen]
    assert [t.name for t in first.held_out] == [t.name for t in again.held_out]
    assert torch.equal(first.seen[0].query.x, again.seen[0].query.x)


def test_report_sentence_states_the_split() -> None:
    drawn = draw(0, (30, 4, 8), distance=3).drawn
    assert "30 seen" in drawn
    assert "distance 3" in drawn
    assert "complements" in drawn


def test_impossible_requests_are_sentences() -> None:
    with pytest.raises(RequestError, match="there are 511, and these take 520"):
        draw(0, (1, 40, 1000))
