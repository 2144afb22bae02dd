"""Configs: each kind of mistake has its sentence, all mistakes come at once, what is written reads the same."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parts_for_tests import small_registry

from wsframework.config.reading import override, read_config
from wsframework.config.sections import Config, PartConfig, TasksSection
from wsframework.config.writing import to_toml
from wsframework.errors import ConfigError
from wsframework.parts.contract import RESERVED

REGISTRY = small_registry()

SMALLEST = """
[tasks]
use = "gaussians"
seen = 20
[zoo]
size = 1000
[train]
steps = 100
[finetune]
epochs = 20
"""


def read(folder: Path, text: str, *overrides: str, seed: int | None = None) -> Config:
    path = folder / "small.toml"
    path.write_text(text, encoding="utf-8")
    return read_config(path, REGISTRY, overrides, seed)


def mistakes(folder: Path, text: str, *overrides: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        read(folder, text, *overrides)
    assert str(folder) in caught.value.source
    return caught.value.mistakes


def test_the_smallest_config_is_filled_with_defaults(tmp_path: Path) -> None:
    config = read(tmp_path, SMALLEST)
    assert (config.name, config.seed) == ("small", 0)
    assert config.tasks.part == PartConfig("gaussians", {"points": 200, "spread": (1.0, 1.0)})
    assert config.encoder == PartConfig("orbit", {"floor": 1e-4})
    assert config.denoiser == PartConfig("deepsets", {"width": 64, "residual": True})
    assert config.compare.options["prior"] == {"rank": 0}


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("trian.steps = 3", "[trian]: a config has no 'trian' at its top level; did you mean 'train'?"),
        ("sede = 3", "sede = 3: a config has no 'sede' at its top level; did you mean 'seed'?"),
        ("zoo = 3", "zoo = 3: should be a table, [zoo] with keys below it"),
        ("name = 'a/b'", "name = 'a/b': should be a string that can name a folder"),
        ("name = '..'", "name = '..': should be a string that can name a folder"),
        ("seed = -1", "seed = -1: should be a whole number from 0 to 2^63 - 1"),
        ("seed = true", "seed = true: should be a whole number from 0 to 2^63 - 1"),
        ("seed = 9223372036854775808", "should be a whole number from 0 to 2^63 - 1"),
        ("[zoo]\nsiez = 3", "zoo.siez = 3: [zoo] has no key 'siez'; did you mean 'size'?"),
        ("[zoo]\nsize = 0", "zoo.size = 0: should be a whole number of at least 1"),
        ("[zoo]\nsize = 3.0", "zoo.size = 3.0: should be a whole number of at least 1"),
        ("[zoo]\nsize = true", "zoo.size = true: should be a whole number of at least 1"),
        ("[zoo]\nlr = 0", "zoo.lr = 0: should be a number larger than 0"),
        ("[zoo]\nlr = nan", "zoo.lr = nan: should be a number larger than 0"),
        ("[zoo]\nepochs = 3", "zoo.size is missing: should be a whole number of at least 1"),
        ("[train]\nema = 1", "train.ema = 1: should be a number of at least 0 and smaller than 1"),
        ("[train]\ndecay = 1", "train.decay = 1: should be true or false"),
        ("[train]\npredict = 'x'", "train.predict = 'x': should be one of 'epsilon', 'v', 'clean'"),
        ("[train]\nlr = 1", "[train] sets neither steps nor epochs: set exactly one of train.steps and train.epochs"),
        ("[train]\nsteps = 1\nepochs = 2", "train.steps = 1 and train.epochs = 2: set exactly one of them"),
        ("[finetune]\nlr = 1", "[finetune] sets neither steps nor epochs"),
        ("[finetune]\nsteps = 1\nepochs = 2", "finetune.steps = 1 and finetune.epochs = 2: set exactly one of them"),
        ("[train]\nsteps = 1\ndenoise_weight = 0", "train.denoise_weight = 0 and train.output_weight = 0"),
        ("[train]\nsteps = 1\ndenoise_weight = 0\noutput_weight = 1", "train.denoise_weight = 0 and train.unroll = 0"),
        ("[tasks]\nseen = 3", "tasks.use is missing: should be the name of a task_family (known: gaussians)"),
        ("[tasks]\nuse = 'gausians'", "tasks.use = 'gausians': there is no task_family 'gausians'; did you mean"),
        ("[tasks]\nuse = 'gaussians'\nheldout = 3", "tasks.heldout = 3: task_family 'gaussians' has no option"),
        ("[tasks]\nuse = 'gaussians'\nheldout = 3", "did you mean 'held_out'?"),
        ("[tasks]\nuse = 'gaussians'\npoints = 0", "tasks.points = 0: should be a whole number of at least 1"),
        ("[tasks]\nuse = 'gaussians'\nspread = [1]", "tasks.spread = [1]: should be a list of 2: a number, a number"),
        ("[encoder]\nuse = 3", "encoder.use = 3: should be the name of an encoder (known: orbit, wrapper)"),
        ("[denoiser]\nuse = 'depsets'", "denoiser.use = 'depsets': there is no denoiser 'depsets'; did you mean"),
        (
            "[denoiser]\nwidht = 3",
            "denoiser.widht = 3: denoiser 'deepsets' has no option 'widht'; did you mean 'width'",
        ),
        ("[denoiser]\nwidth = '3'", "denoiser.width = '3': should be a whole number"),
        ("[network]\nwidths = 32", "network.widths = 32: should be a list of entries that are each a whole number"),
        ("[network]\nwidths = [3, 'x']", "network.widths = [3, 'x']: should be a list of entries"),
        ("[network]\nactivation = 'rleu'", "network.activation = 'rleu': should be one of 'relu', 'tanh'"),
        ("[conditioner]\nclip = 'x'", "conditioner.clip = 'x': should be a number"),
        ("[conditioner]\ntext = 1", "conditioner.text = 1: should be a string"),
        ("[encoder]\nuse = 'wrapper'\ninner = 'orbit'", "encoder.inner = 'orbit': should be a table"),
        ("[encoder]\nuse = 'wrapper'\ninner.use = 'obit'", "encoder.inner.use = 'obit': there is no encoder 'obit'"),
        ("[encoder]\nuse = 'wrapper'\ninner.floor = 1", "encoder.inner.use is missing"),
        ("[encoder]\nuse = 'wrapper'\n[[encoder.many]]\nuse = 'orbit'\nx = 1", "encoder.many[0].x = 1"),
        ("[encoder]\nuse = 'wrapper'\nmany.use = 'orbit'", "should be a list of encoder tables, [[encoder.many]]"),
        ("[compare]\ninitializer = ['mean']", "has no key 'initializer'; did you mean 'initializers'?"),
        ("[compare]\nbestof = 3", "compare.bestof = 3: [compare] has no key 'bestof'; did you mean 'best_of'?"),
        ("[compare]\nmaen = 3", "compare.maen = 3: [compare] has no key 'maen'; did you mean 'mean'?"),
        ("[compare]\nmean = 3", "compare.mean = 3: should be a table"),
        ("[train]\nlr = inf", "train.lr = inf: should be a number larger than 0, and finite"),
        (
            "[tasks]\nuse = 'gaussians'\nspread = [1, inf]",
            "tasks.spread = [1, inf]: should be a list of 2: a number, a",
        ),
        (
            "[tasks]\nuse = 'gaussians'\njudge = 'validation'\nvalidation = 0",
            "tasks.judge = 'validation' and tasks.validation = 0: there are no tasks to judge on",
        ),
        ("[compare]\ninitializers = []", "compare.initializers is empty"),
        ("[compare]\ninitializers = ['mean', 'mean']", "compare.initializers names 'mean' more than once"),
        ("[compare]\ninitializers = ['maen']", "compare.initializers names 'maen': there is no initializer 'maen'"),
        ("[compare]\ninitializers = 'mean'", "compare.initializers = 'mean': should be a list of entries"),
        ("[compare]\nbest_of = ['maen']", "compare.best_of names 'maen', which is not among compare.initializers; did"),
        ("[compare]\nbest_of = ['mean', 'mean']", "compare.best_of names 'mean' more than once"),
        ("[compare.maen]\nrank = 1", "[compare.maen]: there is no initializer 'maen'; did you mean 'mean'?"),
        ("[compare.mean]\nrnak = 1", "compare.mean.rnak = 1: initializer 'mean' has no option 'rnak'"),
        ("ablate = 3", "ablate = 3: should be a table of dotted keys"),
        ("[ablate]\nzoo.lr = 1", "ablate.zoo.lr = 1: should be a list of at least one value for zoo.lr"),
        ("[ablate]\nzoo.lr = []", "ablate.zoo.lr = []: should be a list of at least one value"),
        ("[ablate]\nzoo.lr = [0.1, 0]", "ablate.zoo.lr: zoo.lr = 0: should be a number larger than 0"),
        ("[ablate]\n'zoo.rl' = [1]", "ablate.zoo.rl: zoo.rl = 1: [zoo] has no key 'rl'"),
        ("[ablate]\ndenoiser.use = ['deepset']", "there is no denoiser 'deepset'; did you mean 'deepsets'?"),
        ("[ablate]\nseed.x = [1]", "ablate.seed.x: seed.x = 1: seed is 0, not a table"),
    ],
)
def test_a_mistake_has_its_sentence(tmp_path: Path, line: str, sentence: str) -> None:
    sections = [part for part in SMALLEST.split("[") if part.strip()]
    kept = "".join("[" + part for part in sections if not (f"[{part.split(']')[0]}]" in line or "zoo = 3" in line))
    text = f"seed = 0\n{kept}\n{line}" if line.startswith("[") else f"{line}\n{kept}"
    found = mistakes(tmp_path, text)
    assert any(sentence in mistake for mistake in found), found


def test_all_mistakes_come_at_once(tmp_path: Path) -> None:
    text = SMALLEST.replace("steps = 100", "steps = -1\nlr = 'x'").replace("size = 1000", "") + "[denoiser]\nuse = 'x'"
    found = mistakes(tmp_path, text, "seed=x", "nonsense", "zoo.batch=[")
    for start in ("--set 'nonsense'", "--set 'zoo.batch=['", "seed", "train.steps", "train.lr", "zoo.size", "denoiser"):
        assert any(mistake.startswith(start) for mistake in found), start
    assert len(found) == 7


def test_a_part_that_is_wrong_is_told_once(tmp_path: Path) -> None:
    assert len(mistakes(tmp_path, SMALLEST + "[denoiser]\nuse = 'x'\nwidth = 3\n[ablate]\nzoo.lr = [1, 2]")) == 1


def test_a_missing_file_gets_the_nearest(tmp_path: Path) -> None:
    read(tmp_path, SMALLEST)
    with pytest.raises(ConfigError, match=r"no such file; did you mean 'small\.toml'"):
        read_config(tmp_path / "smal.toml", REGISTRY)
    with pytest.raises(ConfigError, match="no such file"):
        read_config(tmp_path / "nowhere" / "smal.toml", REGISTRY)
    with pytest.raises(ConfigError, match="can't be read"):
        read_config(tmp_path, REGISTRY)


def test_what_is_no_toml_is_told_with_its_line(tmp_path: Path) -> None:
    (mistake,) = mistakes(tmp_path, "seed = 1\nname = = 2\n")
    assert "line 2" in mistake
    assert "'name = = 2'" in mistake
    (tmp_path / "latin.toml").write_bytes("name = 'é'".encode("latin-1"))
    with pytest.raises(ConfigError, match="not UTF-8"):
        read_config(tmp_path / "latin.toml", REGISTRY)


def test_overrides_are_toml_values_or_bare_words(tmp_path: Path) -> None:
    config = read(
        tmp_path,
        SMALLEST,
        "train.lr=1e-2",
        "denoiser.use=graph",
        "train.decay=false",
        'compare.initializers=["mean"]',
        "conditioner.text=two words",
        "network.widths=[8, 8]",
        seed=5,
    )
    assert (config.train.lr, config.denoiser.use, config.train.decay, config.seed) == (0.01, "graph", False, 5)
    assert (config.compare.initializers, config.network.options["widths"]) == (("mean",), (8, 8))
    assert config.conditioner.options["text"] == "two words"


def test_another_part_begins_its_table_anew(tmp_path: Path) -> None:
    text = SMALLEST + "[denoiser]\nwidth = 8"
    assert read(tmp_path, text, "denoiser.use=graph").denoiser == PartConfig("graph", {"layers": 2})
    assert read(tmp_path, text, "denoiser.use=deepsets").denoiser.options["width"] == 8
    changed = read(tmp_path, text, "denoiser.layers=5", "denoiser.use=graph")
    assert changed.denoiser.options == {"layers": 5}


def test_an_inner_part_may_be_set_before_its_outer_one(tmp_path: Path) -> None:
    changes = ("encoder.inner.floor=0.5", "encoder.inner.use=orbit", "encoder.use=wrapper")
    for order in (changes, changes[::-1]):
        assert read(tmp_path, SMALLEST, *order).encoder.options["inner"] == PartConfig("orbit", {"floor": 0.5})


def test_override_of_a_config_is_the_override_of_its_file(tmp_path: Path) -> None:
    text = SMALLEST + "[denoiser]\nwidth = 8"
    config = read(tmp_path, text)
    changes: dict[str, Any] = {"denoiser.use": "graph", "train.lr": 1, "tasks.points": 3}
    assert override(config, REGISTRY, changes) == read(tmp_path, text, *(f"{k}={v}" for k, v in changes.items()))
    with pytest.raises(ConfigError, match=r"small with zoo\.size changed"):
        override(config, REGISTRY, {"zoo.size": 0})


def test_ablations_are_dotted_keys_with_values(tmp_path: Path) -> None:
    config = read(tmp_path, SMALLEST + "[ablate]\ndenoiser.use = ['deepsets', 'graph']\n'zoo.lr' = [0.1]")
    assert config.ablate == {"denoiser.use": ("deepsets", "graph"), "zoo.lr": (0.1,)}


def test_every_default_is_written(tmp_path: Path) -> None:
    text = to_toml(read(tmp_path, SMALLEST))
    for line in ("width = 64", 'predict = "v"', "floor = 0.0001", "spread = [1.0, 1.0]", "[compare.ridge]", "seed = 0"):
        assert line in text.splitlines()


rates = st.floats(min_value=0, exclude_min=True, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=["Cs"]))
encoders = st.recursive(
    rates.map(lambda floor: {"use": "orbit", "floor": floor}),
    lambda inner: st.fixed_dictionaries(
        {"use": st.just("wrapper")}, optional={"inner": inner, "many": st.lists(inner)}
    ),
    max_leaves=4,
)
changes = st.fixed_dictionaries(
    {},
    optional={
        "seed": st.integers(0, 2**63 - 1),
        "name": st.from_regex(r"[a-z0-9 .\"'é=#-]*[a-z]", fullmatch=True),
        "zoo.size": st.integers(1),
        "zoo.lr": rates,
        "train.decay": st.booleans(),
        "tasks.spread": st.lists(rates, min_size=2, max_size=2),
        "network.widths": st.lists(st.integers()),
        "conditioner.text": texts,
        "conditioner.clip": rates | st.integers(),
        "encoder": encoders,
        "compare.initializers": st.permutations(["random", "mean", "prior"]),
        "compare.ridge.rank": st.integers(),
        "ablate": st.just({"train.lr": [1, 0.5], "denoiser": {"use": ["graph"]}, "conditioner.text": ["a", "b"]}),
    },
)


@settings(deadline=None)
@given(changes=changes)
def test_what_is_written_reads_to_an_equal_config(tmp_path_factory: pytest.TempPathFactory, changes: dict) -> None:
    folder = tmp_path_factory.getbasetemp()
    config = override(read(folder, SMALLEST), REGISTRY, changes)
    again = read(folder, to_toml(config))
    assert again == config
    assert to_toml(again) == to_toml(config)


def test_best_of_keeps_to_the_initializers_listed(tmp_path: Path) -> None:
    assert read(tmp_path, SMALLEST).compare.best_of == ("prior",)
    assert read(tmp_path, SMALLEST + "[compare]\ninitializers = ['mean']").compare.best_of == ()


def test_options_of_families_keep_clear_of_the_keys_of_the_section() -> None:
    names = {field.name for field in dataclasses.fields(TasksSection)}
    assert RESERVED["task_family"] == names - {"part"} | {"use"}


def test_configs_are_values(tmp_path: Path) -> None:
    config = read(tmp_path, SMALLEST)
    assert config == read(tmp_path, SMALLEST)
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.seed = 3  # type: ignore[misc]
