"""The registry: names found, near names offered, and every kind of fault refused with its reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import pytest
from parts_for_tests import Ddpm, Deepsets, Encoder, Graph, Wrapper, small_registry

from wsframework.config.building import build
from wsframework.config.sections import PartConfig
from wsframework.errors import PartError
from wsframework.parts.interfaces import Denoiser, WeightEncoder
from wsframework.parts.options import options_of
from wsframework.parts.registry import Registry
from wsframework.parts.values import Least


def scheduler(**members: Any) -> type:
    """A scheduler class like `Ddpm`, with some members changed."""
    return type("Changed", (Ddpm,), {"__doc__": "A scheduler.", "name": "changed", **members})


def constructor(*, annotation: Any = int, default: Any = 0) -> Callable[..., None]:
    def __init__(self, *, option=default) -> None: ...

    __init__.__annotations__ = {"option": annotation}
    return __init__


def unannotated(self, *, option=0) -> None: ...


def without_default(self, *, option: int) -> None: ...


def positional(self, option: int = 0) -> None: ...


def any_keyword(self, **options: int) -> None: ...


def unreadable(self, *, option: Elsewhere = 0) -> None: ...  # noqa: F821


def uses_use(self, *, use: str = "") -> None: ...


FAULTS = [
    ({"name": None}, "its name is None"),
    ({"name": "Camel Case"}, "its name is 'Camel Case'"),
    ({"__doc__": None}, "no docstring"),
    ({"kind": "scheduling"}, "none of the interfaces"),
    ({"symmetry": "invertible"}, "claims symmetry 'invertible'"),
    ({"gauges": ("phase",)}, r"claims gauges \('phase',\)"),
    ({"__init__": unannotated}, "option 'option' has no annotation"),
    ({"__init__": without_default}, "option 'option' has no default"),
    ({"__init__": positional}, r"must be \(self, \*, options\)"),
    ({"__init__": any_keyword}, r"\*args or \*\*kwargs"),
    ({"__init__": unreadable}, "name 'Elsewhere' is not defined"),
    ({"__init__": uses_use}, "option 'use' has a name that the section itself uses"),
    ({"__init__": constructor(annotation=Callable)}, "TOML can't hold"),
    ({"__init__": constructor(annotation=str)}, "has default 0, which should be a string"),
    ({"__init__": constructor(annotation=Annotated[int, Least(1)])}, "should be a whole number of at least 1"),
    ({"__init__": constructor(annotation=WeightEncoder | None, default=None)}, "nested encoder, which needs space"),
]


@pytest.mark.parametrize(("members", "reason"), FAULTS)
def test_a_fault_is_refused_with_its_reason(members: dict[str, Any], reason: str) -> None:
    registry = Registry()
    with pytest.raises(PartError, match=reason):
        registry.add(scheduler(**members), "strange")
    assert registry.all() == ()


def test_the_unchanged_class_is_accepted() -> None:
    registry = Registry()
    registry.add(scheduler(), "strange")
    assert list(registry.parts("scheduler")) == ["changed"]


def test_abstract_classes_and_other_things_are_refused() -> None:
    class Half(Denoiser):
        """Forgot its forward."""

        name = "half"

        def __init__(self, space, condition_size) -> None: ...

    for wrong, reason in [(Half, "it lacks forward"), (Ddpm(), "not a class"), (int, "not a class derived from Part")]:
        with pytest.raises(PartError, match=reason):
            Registry().add(wrong, "strange")  # type: ignore[arg-type]


def test_a_module_without_a_constructor_is_refused() -> None:
    class Bare(Denoiser):
        """Has no constructor of its own."""

        name = "bare"

        def forward(self, x_t, t, condition, space):
            return x_t

    with pytest.raises(PartError, match="or it has none"):
        Registry().add(Bare, "strange")


def test_a_plugin_enters_whole_or_not_at_all() -> None:
    registry = small_registry()
    before = registry.all()
    with pytest.raises(PartError, match="plugin 'small' has a scheduler 'ddpm' already"):
        registry.add_all([scheduler(), Ddpm], "second")
    with pytest.raises(PartError, match="two schedulers called 'changed'"):
        registry.add_all([scheduler(), scheduler()], "second")
    assert registry.all() == before
    assert "second" not in registry.plugins


def test_an_unknown_name_gets_the_nearest_one() -> None:
    with pytest.raises(PartError, match="no denoiser 'depsets'; did you mean 'deepsets'"):
        small_registry().get("denoiser", "depsets")
    with pytest.raises(PartError, match="'denoisr' is no kind of part; did you mean 'denoiser'"):
        small_registry().parts("denoisr")


def test_an_unknown_name_points_at_broken_plugins() -> None:
    registry = small_registry()
    registry.broken["shattered"] = "it does not import"
    with pytest.raises(PartError, match="broken plugins 'shattered'"):
        registry.get("denoiser", "splendid")


def test_every_part_has_its_plugin() -> None:
    registry = small_registry()
    assert {registry.plugin_of(part) for part in registry.all()} == {"small"}
    with pytest.raises(PartError, match="no plugin"):
        registry.plugin_of(scheduler())


def test_options_are_the_keywords_of_the_constructor() -> None:
    assert list(options_of(Deepsets)) == ["width", "residual"]
    assert options_of(Wrapper)["inner"].kind == "encoder"
    assert options_of(Wrapper)["many"].many


def test_a_part_is_built_with_what_the_framework_gives_and_what_the_user_sets() -> None:
    part = build(small_registry(), "denoiser", PartConfig("deepsets", {"width": 3}), "the space", 7)
    assert isinstance(part, Deepsets)
    assert (part.given, part.width) == (("the space", 7), 3)


def test_nested_parts_are_given_what_their_kind_takes() -> None:
    inner = PartConfig("wrapper", {"inner": PartConfig("orbit", {"floor": 1})})
    config = PartConfig("graph", {"view": inner})
    part = build(small_registry(), "denoiser", config, "the space", 7)
    assert isinstance(part, Graph)
    assert isinstance(part.view, Wrapper)
    assert isinstance(part.view.inner, Encoder)
    assert (part.view.given, part.view.inner.given, part.view.inner.floor) == ("the space", "the space", 1.0)


def test_a_list_of_nested_parts_is_built() -> None:
    config = PartConfig("wrapper", {"many": [PartConfig("orbit"), {"use": "wrapper"}]})
    part = build(small_registry(), "encoder", config, "the space")
    assert [type(p) for p in part.many] == [Encoder, Wrapper]


def test_building_refuses_wrong_options_in_a_sentence() -> None:
    config = PartConfig("deepsets", {"widht": 3, "residual": 1})
    with pytest.raises(PartError, match=r"did you mean 'width'\?.*residual = 1: should be true or false"):
        build(small_registry(), "denoiser", config, None, 0)
