"""`sequences` and `markov`: labels by recomputation, rules that are different functions, losses no network can beat."""

from __future__ import annotations

from itertools import combinations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from wsf_conditioners.embedding import MeanEmbedding
from wsf_conditioners.moments import Moments
from wsf_tasks.markov import Markov
from wsf_tasks.rules import KINDS, READ, all_rules
from wsf_tasks.sequences import Sequences

from wsframework.errors import PartError, RequestError
from wsframework.tasks import OBJECTIVES, Task, TaskBatch, TaskSplits

SEEDS = st.integers(0, 2**40)


def draw(family: Sequences | Markov, seed: int, sizes: tuple[int, int, int]) -> TaskSplits:
    return family.draw(*sizes, torch.Generator().manual_seed(seed))


def answer(task: Task, x: list[int], length: int, vocabulary: int) -> int:
    """What the code says that the answer to x is."""
    assert task.code is not None
    kind, mask, token = task.code.split([len(KINDS), length, vocabulary])
    places, wanted = mask.nonzero().flatten().tolist(), int(token.argmax())
    match KINDS[int(kind.argmax())]:
        case "sum":
            return sum(x[p] for p in places) % vocabulary
        case "majority":
            read = [x[p] for p in places]
            return max(range(vocabulary), key=lambda k: (read.count(k), -k))
        case "copy":
            return x[places[0]]
        case which:
            found = [p for p in range(length) if x[p] == wanted]
            return x[(found[0 if which == "first" else -1] + places[0]) % length] if found else 0


@settings(max_examples=10)
@given(seed=SEEDS, length=st.integers(8, 12), vocabulary=st.integers(2, 4))
def test_labels_are_what_the_code_says(seed: int, length: int, vocabulary: int) -> None:
    family = Sequences(length=length, vocabulary=vocabulary, points=20, query=20)
    for task in draw(family, seed, (12, 0, 0)).seen:
        for data in (task.support, task.query):
            wanted = [answer(task, x, length, vocabulary) for x in data.x.long().tolist()]
            assert data.y.tolist() == wanted


@pytest.mark.parametrize(("length", "vocabulary"), [(8, 2), (9, 3)])
def test_no_two_rules_are_one_function(length: int, vocabulary: int) -> None:
    x = torch.cartesian_prod(*[torch.arange(vocabulary)] * length)
    rules = all_rules(KINDS, length, vocabulary)
    assert len({rule.answers(x, vocabulary).numpy().tobytes() for rule in rules}) == len(rules)
    assert len({str(rule) for rule in rules}) == len(rules)


@pytest.mark.parametrize("length", [8, 11, 16])
def test_sets_of_positions_differ_in_two_or_more(length: int) -> None:
    masks = [set(rule.places) for rule in all_rules(["sum"], length, 2)]
    assert len(masks) > 1
    assert all(len(one) == READ and len(one & other) <= READ - 2 for one, other in combinations(masks, 2))


@settings(max_examples=10)
@given(seed=SEEDS, length=st.integers(8, 24), vocabulary=st.integers(2, 5))
def test_all_sequences_of_a_draw_are_different(seed: int, length: int, vocabulary: int) -> None:
    (task,) = draw(Sequences(length=length, vocabulary=vocabulary, points=60, query=60), seed, (1, 0, 0)).seen
    x = torch.cat([task.support.x, task.query.x])
    assert len(torch.unique(x, dim=0)) == 120
    assert 0 <= x.min() <= x.max() < vocabulary


def test_the_seen_tasks_are_the_same_whatever_is_held_out() -> None:
    one, other = (draw(Sequences(), 3, sizes) for sizes in ((20, 0, 0), (20, 9, 30)))
    assert [t.name for t in one.seen] == [t.name for t in other.seen]


def test_refusals_of_rules_are_sentences() -> None:
    known = len(all_rules(["copy"], 16, 2))
    copies = Sequences(rules=("copy",))
    assert len(draw(copies, 0, (known - 2, 1, 1)).seen) == known - 2
    with pytest.raises(RequestError, match=f"of these kinds and this length there are {known}$"):
        draw(copies, 0, (known, 1, 0))
    with pytest.raises(PartError, match="more than the 256 sequences of length 8"):
        Sequences(length=8)
    with pytest.raises(PartError, match="leaves no task; there are sum, majority"):
        Sequences(rules=())


@settings(max_examples=10)
@given(seed=SEEDS, vocabulary=st.integers(5, 8), length=st.integers(16, 24))
def test_the_chain_itself_has_the_least_loss(seed: int, vocabulary: int, length: int) -> None:
    """The loss of its log-probabilities is the entropy that the task tells, but for the chance of its sequences.

    These are so many that it does not matter that those drawn are different.
    """
    family = Markov(vocabulary=vocabulary, length=length, points=200, query=200, sharpness=1.0, code=True)
    (task,) = draw(family, seed, (1, 0, 0)).seen
    assert task.code is not None
    chain = task.code.reshape(vocabulary, vocabulary)
    assert torch.equal(task.query.x[:, 1:].long(), task.query.y[:, :-1])
    losses = task.objective.losses(chain.log()[task.query.x.long()], task.query.y)
    assert abs(losses.mean() - task.facts["entropy"]) < 6 * losses.std() / len(losses) ** 0.5
    shifted = chain.log()[task.query.x.long()].roll(1, -1)
    assert task.objective.losses(shifted, task.query.y).mean() > losses.mean()


@settings(max_examples=10)
@given(seed=SEEDS, leading=st.lists(st.integers(1, 3), max_size=2), length=st.integers(1, 4))
def test_tokens_are_classification_of_positions(seed: int, leading: list[int], length: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    outputs = torch.randn(*leading, 5, length, 3, generator=generator)
    y = torch.randint(3, (*leading, 5, length), generator=generator)
    tokens, classes = OBJECTIVES["tokens"], OBJECTIVES["classification"]
    places = outputs.flatten(-3, -2), y.flatten(-2)
    torch.testing.assert_close(tokens.losses(outputs, y).mean(-1), classes.losses(*places).mean(-1))
    torch.testing.assert_close(tokens.score(outputs, y), classes.score(*places))
    several = torch.stack([outputs, outputs.flip(-1)], -4)
    torch.testing.assert_close(tokens.vote(several).flatten(-3, -2), classes.vote(several.flatten(-3, -2)))


def test_conditioners_tell_the_chain_from_its_sequences() -> None:
    """Of the same chain, other sequences are described more alike than those of any other chain."""
    family = Markov(points=200, query=200)
    tasks = draw(family, 0, (8, 0, 0)).seen
    others = [Task(t.name, t.shape, t.query, t.support, t.objective) for t in tasks]
    for conditioner in (Moments(family.shape), MeanEmbedding(family.shape)):
        x, y = (torch.stack([conditioner.describe(t) for t in some]) for some in (tasks, others))
        assert torch.cdist(x, y).argmin(1).tolist() == list(range(8))


def test_positions_are_examples_of_what_a_sequence_has_there() -> None:
    """The share of each token, then mean and deviation of the token before it."""
    (task,) = draw(Markov(vocabulary=4), 1, (1, 0, 0)).seen
    x, y = task.support.x.flatten(), task.support.y.flatten()
    found = Moments(task.shape).describe(task)[:12].reshape(4, 3)
    for token in range(4):
        before = x[y == token]
        torch.testing.assert_close(
            found[token], torch.stack([torch.tensor(len(before) / len(y)), before.mean(), before.std(correction=0)])
        )


def test_a_chain_with_too_few_sequences_is_refused_in_a_sentence() -> None:
    with pytest.raises(PartError, match="too many for 16 sequences of length 4"):
        Markov(vocabulary=2, length=4)
    with pytest.raises(RequestError, match="too few different sequences for 120 examples; a larger length"):
        draw(Markov(vocabulary=2, length=8, points=60, query=60, sharpness=4.0), 0, (30, 0, 0))
    tasks = draw(Markov(), 0, (3, 0, 0)).seen
    assert TaskBatch.of(tasks).support.y.shape == (3, 64, 16)
