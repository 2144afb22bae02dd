"""The audit tells copies, averages and networks of their own apart, and its parts keep what they say."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wsframework.alignment import quotient_distance
from wsframework.alignment.symmetries import Symmetries
from wsframework.audit import Targets, audit, largest_overlap
from wsframework.audit.bar import Bar
from wsframework.audit.invariants import sorted_orbits
from wsframework.audit.nearest import Nearest, balanced
from wsframework.audit.rank_test import z_u
from wsframework.audit.verdict import LEVEL, judged
from wsframework.benchmarks import audit as benchmark
from wsframework.benchmarks.audit.samplers import SAMPLERS, Pool, convolutional, perceptrons
from wsframework.errors import RequestError, SpaceError
from wsframework.randomness import generator
from wsframework.spaces import Weights, WeightSpace
from wsframework.testing.strategies import weight_spaces

SPACE = WeightSpace.parse("free h:scale=6\nfixed i=3 o=2\na h^1 i\nb h^1\nc o h^-1")


def drawn(count: int, seed: int = 0, space: WeightSpace = SPACE) -> Weights:
    return Weights(space, torch.randn(count, space.size, generator=generator(seed, "drawn")))


def moved(weights: Weights, seed: int = 0) -> Weights:
    elements = Symmetries.random(weights.space, len(weights), generator(seed, "moved"))
    return Weights(weights.space, elements.act(weights.x))


@pytest.fixture(scope="module", params=[perceptrons, convolutional], ids=["mlp", "cnn"])
def pool(request: pytest.FixtureRequest) -> Pool:
    made: Pool = request.param(45, 2, 2)
    return made


@pytest.fixture(scope="module")
def said(pool: Pool) -> list[dict[str, str]]:
    with pytest.MonkeyPatch.context() as patch:
        for name, count in (("ZOO", 30), ("SAMPLES", 10), ("CANDIDATES", 4)):
            patch.setattr(benchmark, name, count)
        return [benchmark.verdicts(pool, repeat) for repeat in range(2)]


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_samplers_of_known_kind_are_told_apart(sampler: str, said: list[dict[str, str]]) -> None:
    assert [kinds[sampler] for kinds in said] == [SAMPLERS[sampler][1]] * 2


@pytest.mark.slow
def test_alarms_are_seldom_false_and_copies_are_found() -> None:
    for row in benchmark.run(repeats=40).rows:
        if row.unit == "right":
            assert row.value is not None
            assert row.value >= 0.95, row


@settings(max_examples=8)
@given(weight_spaces(), st.integers(0, 99))
def test_invariants_bound_the_distance_from_below_and_see_no_symmetry(space: WeightSpace, seed: int) -> None:
    weights = balanced(drawn(3, seed, space))
    features = sorted_orbits(space, weights.x)
    same = sorted_orbits(space, balanced(moved(weights, seed)).x)
    torch.testing.assert_close(features, same, rtol=1e-5, atol=1e-5)
    bounds = torch.cdist(features, features, compute_mode="donot_use_mm_for_euclid_dist")
    assert (bounds <= quotient_distance(weights, weights) + 1e-5).all()


def test_a_moved_copy_is_found_wherever_it_is_with_the_fewest_candidates() -> None:
    zoo = drawn(40)
    found = Targets(zoo).nearest(moved(zoo), candidates=2)
    assert found.index.tolist() == list(range(40))
    assert found.distance.max() < 1e-3
    assert found.ratio.max() < 1e-3
    assert found.proven.all()


def test_with_all_networks_as_candidates_the_nearest_is_the_nearest() -> None:
    zoo, others = drawn(9), drawn(5, seed=1)
    found = Targets(zoo).nearest(others, candidates=9)
    distances = torch.stack([quotient_distance(others, Weights(SPACE, row[None]))[:, 0] for row in zoo.x], 1)
    assert (found.distance >= distances.amin(1) - 1e-4).all()
    assert found.proven.all()
    assert (found.second >= found.distance).all()


def test_networks_of_the_zoo_are_not_their_own_nearest() -> None:
    rows = torch.tensor([3, 7])
    found = Targets(drawn(12)).among(rows, candidates=4)
    assert (found.index != rows).all()
    assert (found.distance > 0.1).all()
    assert Targets(drawn(2)).among(torch.tensor([0]), candidates=2).second.isinf().all()


def test_an_audit_leaves_samples_and_zoo_as_they_were() -> None:
    zoo, samples = drawn(20), drawn(6, seed=1)
    before = zoo.x.clone(), samples.x.clone()
    facts = audit(samples, zoo, candidates=3).facts()
    assert torch.equal(before[0], zoo.x)
    assert torch.equal(before[1], samples.x)
    assert list(facts["groups"]) == ["samples", "zoo", "noised", "averages", "gaussian"]
    assert facts == audit(samples, zoo, candidates=3).facts()


def test_half_copies_are_counted_with_their_interval() -> None:
    zoo = drawn(60)
    mixed = Weights(SPACE, torch.cat([drawn(10, seed=1).x, moved(Weights(SPACE, zoo.x[:10])).x]))
    verdict = audit(mixed, zoo, candidates=4).verdict
    assert (verdict.kind, verdict.copies) == ("copies", 10)
    assert verdict.low < 0.5 < verdict.high
    assert verdict.sentence.startswith("copies: 10 of 20 samples")


def test_copies_are_found_in_a_zoo_with_doubles() -> None:
    zoo = Weights(SPACE, drawn(30).x.repeat(2, 1))
    found = audit(moved(Weights(SPACE, zoo.x[:10])), Weights(SPACE, torch.cat([zoo.x, drawn(30, 5).x])), candidates=4)
    assert found.bar.duplicates == 60
    assert found.verdict.kind == "copies"


def test_networks_that_were_not_learned_from_take_the_place_of_the_zoo() -> None:
    zoo, test = drawn(30), drawn(40, seed=2)
    found = audit(drawn(10, seed=1), zoo, test=test, candidates=3)
    assert found.bar.peers == 40
    assert found.verdict.kind == "none"
    assert found.groups["test"].verdict.networks == 40


def test_few_networks_can_not_be_told() -> None:
    verdict = audit(drawn(1, seed=1), drawn(4), candidates=2).verdict
    assert verdict.kind == "unknown"
    assert verdict.detectable is None


def test_the_chance_of_a_count_is_that_of_draws_that_are_alike() -> None:
    random = generator(0, "uniform")
    peers, samples = torch.rand(2000, 50, generator=random), torch.rand(2000, 20, generator=random)
    bar = Bar(0.0, 0.0, 0.0, peers=50, rank=2, duplicates=0)
    counts = (samples < peers.kthvalue(2, 1).values.unsqueeze(1)).sum(1)
    for count in (1, 2, 4):
        assert abs((counts >= count).double().mean().item() - bar.chance(count, 20)) < 0.03
    least = bar.least(20, LEVEL)
    assert least is not None
    assert bar.chance(least, 20) < LEVEL <= bar.chance(least - 1, 20)


def test_z_u_is_standard_normal_for_draws_that_are_alike_and_turns_with_its_arguments() -> None:
    random = generator(0, "normal")
    found = torch.tensor(
        [z_u(torch.randn(30, generator=random), torch.randn(40, generator=random)) for _ in range(500)]
    )
    assert abs(found.mean()) < 0.2
    assert abs(found.std() - 1) < 0.15
    a, b = torch.tensor([0.5, 1.5]), torch.tensor([1.0, 2.0, 3.0])
    assert z_u(a, b) == -z_u(b, a) < 0


def test_overlaps_are_those_of_sets() -> None:
    random = generator(0, "wrong")
    wrong, others = torch.rand(6, 15, generator=random) < 0.3, torch.rand(8, 15, generator=random) < 0.3
    sets = [[set(row.nonzero().flatten().tolist()) for row in some] for some in (wrong, others)]
    wanted = [max(len(a & b) / len(a | b) for b in sets[1]) for a in sets[0]]
    assert largest_overlap(wrong, others).tolist() == pytest.approx(wanted)
    assert largest_overlap(others, others).tolist() == pytest.approx([1.0] * 8)
    own = largest_overlap(others, others, torch.arange(8))
    alone = [max(len(a & b) / len(a | b) for b in sets[1] if b is not a) for a in sets[1]]
    assert own.tolist() == pytest.approx(alone)
    assert largest_overlap(torch.zeros(2, 15).bool(), others).isnan().all()


def test_what_can_not_be_audited_is_refused_in_a_sentence() -> None:
    other = WeightSpace.parse("fixed i=3\nw i")
    with pytest.raises(SpaceError, match="different weight spaces"):
        audit(drawn(3, space=other), drawn(5))
    with pytest.raises(SpaceError, match="this one has 1"):
        audit(drawn(3), drawn(1))
    with pytest.raises(RequestError, match="at least one network"):
        audit(drawn(0), drawn(5))


def test_a_sampler_between_is_no_copier_however_near() -> None:
    zoo = drawn(60)
    peers = Targets(zoo).among(torch.arange(60), 4)
    near = Nearest(peers.distance / 2, peers.second / 2, peers.around, peers.index, peers.proven)
    verdict = judged(near, peers, Bar.of(peers))
    assert verdict.kind == "near"
    amid = dataclasses.replace(near, around=peers.around / 2)
    assert judged(amid, peers, Bar.of(peers)).kind == "averages"
    far = dataclasses.replace(near, distance=2 * peers.distance, second=2 * peers.second)
    assert judged(far, peers, Bar.of(peers)).kind == "none"
