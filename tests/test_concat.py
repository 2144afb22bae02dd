"""Conditioners side by side: features, scales and embeddings of each, and what they claim together."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mutants import FirstExample
from tiny import REGISTRY, TABLES
from wsf_conditioners.concat import Concat

from wsframework.config.building import build
from wsframework.config.resolving import resolve
from wsframework.config.sections import PartConfig
from wsframework.errors import PartError
from wsframework.tasks import TaskShape
from wsframework.testing import Subject
from wsframework.testing.promises.conditioner import claim
from wsframework.testing.task_strategies import KINDS, made_task

SHAPE = TaskShape((3,), (2,), code=2)
SET = {"use": "set", "width": 8, "size": 3, "examples": 4, "kept": 4}
MOMENTS = {"use": "moments", "size": 4}
TABLES_OF = [[], [MOMENTS], [MOMENTS, {"use": "code", "size": 5}], [SET, {"use": "none"}, MOMENTS]]


def concat(tables: list[dict[str, Any]]) -> Concat:
    made: Concat = build(REGISTRY, "conditioner", PartConfig("concat", {"parts": tables}), SHAPE)
    return made.eval()


@settings(max_examples=15)
@given(tables=st.sampled_from(TABLES_OF), kind=st.sampled_from(KINDS), seed=st.integers(0, 2**16))
def test_each_conditioner_describes_scales_and_embeds_as_it_does_alone(tables, kind, seed):
    whole = concat(tables)
    tasks = [made_task(SHAPE, kind, 6 + k, seed + k) for k in range(4)]
    features = torch.stack([whole.describe(task) for task in tasks])
    known = whole.statistics(features)
    own = [torch.stack([part.describe(task) for task in tasks]) for part in whole.parts]
    scaled = [part.statistics(mine).standardise(mine) for part, mine in zip(whole.parts, own, strict=True)]
    assert torch.equal(features, torch.cat([torch.zeros(4, 0), *own], 1))
    assert torch.equal(known.standardise(features), torch.cat([torch.zeros(4, 0), *scaled], 1))
    embedded = [part(mine) for part, mine in zip(whole.parts, scaled, strict=True)]
    together = whole(known.standardise(features))
    torch.testing.assert_close(together, torch.cat([torch.zeros(4, 0), *embedded], 1))
    assert whole.size == sum(part.size for part in whole.parts)


def test_features_without_words_are_numbered_so_that_words_stay_with_theirs():
    whole = concat([{"use": "code"}, MOMENTS])
    words = whole.called(made_task(SHAPE, "classification", 6, 0))
    assert words[:3] == ["number 1 of 'code'", "number 2 of 'code'", "share of class 0"]
    assert len(words) == sum(whole.lengths)


def test_it_claims_to_be_invariant_where_all_do():
    assert concat(TABLES_OF[2]).symmetry == "invariant"
    claiming, silent = FirstExample(SHAPE), FirstExample(SHAPE)
    silent.symmetry = None
    assert Concat(SHAPE, parts=[claiming]).symmetry == "invariant"
    assert Concat(SHAPE, parts=[claiming, silent]).symmetry is None


def test_a_conditioner_that_can_not_be_built_says_so():
    with pytest.raises(PartError, match="have no code"):
        build(REGISTRY, "conditioner", PartConfig("concat", {"parts": [{"use": "code"}]}), TaskShape((2,), (2,)))


def test_mistakes_in_the_list_are_told_with_their_place_and_the_nearest_word():
    tables = {**TABLES, "conditioner": {"use": "concat", "parts": [{"use": "momets"}, {"use": "code", "sise": 3}]}}
    config, mistakes = resolve(tables, REGISTRY)
    assert config is None
    assert any("conditioner.parts[0].use = 'momets'" in m and "did you mean 'moments'" in m for m in mistakes)
    assert any("conditioner.parts[1].sise = 3" in m and "did you mean 'size'" in m for m in mistakes)


def test_a_claim_of_one_of_them_that_does_not_hold_is_refuted():
    registry = Subject(FirstExample, registry=REGISTRY).parts
    subject = Subject(Concat, {"parts": [{"use": FirstExample.name}, MOMENTS]}, examples=4, registry=registry)
    with pytest.raises(AssertionError, match="in another order its description differs"):
        claim(subject)
