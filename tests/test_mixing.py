"""Several [[network]] tables: what a config makes of them, and every mistake in a sentence."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from tiny import REGISTRY, TABLES, made
from torch import Tensor
from wsf_equivariant.normalisation import Orbit

from wsframework.config.mixing import KEYS
from wsframework.config.reading import override
from wsframework.config.resolving import resolve
from wsframework.config.writing import to_toml
from wsframework.errors import ConfigError
from wsframework.parts.contract import RESERVED
from wsframework.parts.entrypoints import load_registry
from wsframework.pipeline.arrangement import members
from wsframework.pipeline.mixed_trial import try_mixed
from wsframework.spaces import WeightSpace

NETWORKS: list[dict[str, Any]] = [
    {"use": "mlp", "widths": [4]},
    {"widths": [6, 6]},
    {"widths": [5], "seen": False, "set": {"finetune.epochs": 1}},
    {"use": "siren", "name": "waves", "set": {"tasks.use": "sinusoids", "zoo": {"size": 16}}},
]


def mistakes(networks: Any, **tables: Any) -> list[str]:
    return resolve({**TABLES, **tables, "network": networks}, REGISTRY)[1]


def refused(networks: list[dict[str, Any]], **changes: Any) -> list[str]:
    """What a trial of these networks says, less the name of the file."""
    config = made({k.replace("__", "."): v for k, v in changes.items()}, {**TABLES, "network": networks})
    with pytest.raises(ConfigError) as caught:
        try_mixed("tiny", members(config, REGISTRY), REGISTRY)
    return list(caught.value.mistakes)


def test_members_have_names_and_changes_of_their_own() -> None:
    config = made({}, {**TABLES, "network": NETWORKS})
    found = {member.name: member for member in members(config, REGISTRY)}
    assert [(m.name, m.seen) for m in config.mix] == [
        ("mlp-4", True),
        ("mlp-6-6", True),
        ("mlp-5", False),
        ("waves", True),
    ]
    assert found["mlp-6-6"].config.network.options["widths"] == (6, 6)
    assert found["mlp-5"].config.finetune.epochs == 1
    assert (found["waves"].config.tasks.part.use, found["waves"].config.zoo.size) == ("sinusoids", 16)
    assert all(not m.config.mix and m.config.train == config.train for m in found.values())


def test_a_mixed_config_reads_back_as_it_was_written() -> None:
    config = made({}, {**TABLES, "network": NETWORKS})
    assert resolve(tomllib.loads(to_toml(config)), REGISTRY) == (config, [])


def test_every_mistake_is_told_with_its_place() -> None:
    wrong = [
        {"width": [4]},
        {"sen": True, "seen": 3},
        {"use": "mlpp"},
        3,
        {"set": {"taks.seen": 1, "train.lr": 2, "zoo.sise": 3}},
    ]
    told = "\n".join(mistakes(wrong, ablate={"train.lr": [1.0]}, nam=1))
    for part in (
        "nam = 1: a config has no 'nam' at its top level; did you mean 'name'?",
        "[ablate] stands beside several [[network]] tables",
        "network[0].width = [4]: architecture 'mlp' has no option 'width'; did you mean 'widths'?",
        "network[1].sen = true: architecture 'mlp' has no option 'sen'; did you mean 'seen'?",
        "network[1].seen = 3: should be true or false",
        "network[2].use = 'mlpp': there is no architecture 'mlpp'; did you mean 'mlp'?",
        "network[3] = 3: should be a table",
        "network[4].set names 'taks.seen', no key of a section that one network can change for itself; "
        "did you mean 'tasks'?",
        "network[4].set names 'train.lr'",
        "network[4].set: zoo.sise = 3: [zoo] has no key 'sise'; did you mean 'size'?",
    ):
        assert part in told


@pytest.mark.parametrize(
    ("networks", "told"),
    [
        ([], "network = []: should be a table, or several of them, [[network]]"),
        ([{"seen": False}], "every [[network]] has seen = false: the zoo needs at least one that is seen"),
        ([{}, {}], "several [[network]] tables are called 'mlp', or nearly so: give each a name of its own"),
        (
            [{"name": "figures"}],
            "network.name = 'figures': should be a word of letters, digits, - and _ that names a new folder",
        ),
    ],
)
def test_members_that_do_not_stand_together(networks: Any, told: str) -> None:
    assert mistakes(networks) == [told]


def test_one_of_several_networks_is_not_changed_from_outside() -> None:
    config = made({}, {**TABLES, "network": NETWORKS})
    with pytest.raises(ConfigError, match="network is one of several tables: change it in the file"):
        override(config, REGISTRY, {"network.widths": [3]})


def test_a_denoiser_or_an_encoder_of_one_space_is_refused() -> None:
    (told,) = refused(NETWORKS[:2], denoiser__use="mlp_unet")
    assert told.startswith("[denoiser] 'mlp_unet' does not serve 'mlp-4' beside the other networks: mlp_unet was built")
    (told,) = refused(NETWORKS[:3], encoder__use="coordinate")
    assert told.startswith("[encoder] 'coordinate' can't be fitted to other networks of the kind of 'mlp-5'")


def test_options_of_architectures_keep_clear_of_the_keys_of_a_table() -> None:
    assert RESERVED["architecture"] == {"use", "set", *(key.name for key in KEYS)}


class ByPlace(Orbit):
    """Statistics by the number of an orbit, which is another one in another space."""

    name = "by-place"

    def _place(self, space: WeightSpace) -> Tensor:
        return self.groups(space)[0]


def test_an_encoder_that_mixes_up_what_it_pooled_is_refused() -> None:
    registry = load_registry()
    registry.add(ByPlace, "tests")
    deep = [{"widths": [4]}, {"widths": [4, 4]}, {"widths": [5], "seen": False}]
    config, _ = resolve({**TABLES, "network": deep, "encoder": {"use": "by-place"}}, registry)
    assert config is not None
    with pytest.raises(ConfigError, match="what it learned of several it does not find again for each"):
        try_mixed("tiny", members(config, registry), registry)


def test_a_depth_never_seen_has_no_statistics_to_be_generated_by() -> None:
    (told,) = refused([{"widths": [4]}, {"widths": [4, 4], "seen": False}])
    assert "no statistics for 'hidden.weight" in told


@pytest.mark.parametrize(
    ("unseen", "told"),
    [
        ({"activation": "tanh"}, "no network of its kind is"),
        ({"set": {"tasks.separation": 9.0}}, "no network of the zoo has its tasks"),
        ({"set": {"conditioner.size": 9}}, "no network of the zoo has its tasks"),
    ],
)
def test_a_network_that_is_not_in_the_zoo_needs_kin_there(unseen: dict[str, Any], told: str) -> None:
    (sentence,) = refused([{"widths": [4]}, {"name": "other", "widths": [5], "seen": False, **unseen}])
    assert sentence.startswith("network 'other' is not in the zoo")
    assert told in sentence


def test_embeddings_of_several_lengths_are_refused() -> None:
    (told,) = refused([{"widths": [4]}, {"widths": [5], "set": {"conditioner.size": 9}}])
    assert (
        told
        == "[conditioner] one denoiser takes embeddings of one length, and these have 64 for 'mlp-4', 9 for 'mlp-5'"
    )


def test_sizes_are_of_one_kind_and_functions_are_not() -> None:
    networks = [{"widths": [4]}, {"widths": [6, 6]}, {"widths": [4], "activation": "tanh", "name": "tanh"}, NETWORKS[3]]
    config = made({}, {**TABLES, "network": networks})
    found = try_mixed("tiny", members(config, REGISTRY), REGISTRY)
    assert [one.place.group for one in found.values()] == ["mlp", "mlp", "mlp.2", "siren"]
    assert [one.described_as for one in found.values()][-2:] == [next(iter(found)), "waves"]
