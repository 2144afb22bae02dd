"""Plugins are loaded one by one: a broken one is named with its reason, and the others go on working."""

from __future__ import annotations

import itertools
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from wsframework.errors import PartError
from wsframework.parts import entrypoints
from wsframework.parts.entrypoints import GROUP, load_registry

SOUND = """
from wsframework.parts.hookspecs import hookimpl
from wsframework.parts.interfaces import TaskFamily

class Sound(TaskFamily):
    '''Draws nothing.'''
    name = "{name}"
    shape = None
    def draw(self, seen, validation, held_out, generator): ...

@hookimpl
def wsf_parts():
    return [Sound]
"""


IMPORTED = "import TaskFamily\nimport torch"
UNHASHABLE = "class Unhashable(type(TaskFamily)):\n    __hash__ = None\n"


def annotated(annotation: str, default: str = "None") -> str:
    """A plugin whose part has an option of this annotation, which stands there as a string."""
    constructor = f"    def __init__(self, *, option: {annotation!r} = {default}): ...\n"
    return SOUND.replace("    shape = None\n", f"    shape = None\n{constructor}").replace(
        "import TaskFamily", IMPORTED
    )


BROKEN = {
    "needs_missing": ("import a_library_that_is_not_there", "ModuleNotFoundError.*a_library_that_is_not_there"),
    "does_not_parse": ("def (:", "SyntaxError"),
    "leaves": ("raise SystemExit(3)", "SystemExit: 3"),
    "unmarked": ("def wsf_parts():\n    return []", "wsf_parts.. lacks @hookimpl"),
    "without_hook": ("def parts():\n    return []", "no function wsf_parts.. marked with @hookimpl"),
    "misspelt": (SOUND.replace("def wsf_parts", "def wsf_part"), "hook that does not exist: 'wsf_part'"),
    "raises": (SOUND.replace("return [Sound]", "raise ValueError('no luck')"), "ValueError: no luck"),
    "returns_none": (SOUND.replace("return [Sound]", "return None"), "returned None"),
    "returns_no_list": (SOUND.replace("return [Sound]", "return 3"), "returned 3, not a list"),
    "returns_nested": (SOUND.replace("return [Sound]", "return [[Sound]]"), "it is .<class.*Sound'>., not a class"),
    "returns_number": (SOUND.replace("return [Sound]", "return [3]"), "not a class derived from Part"),
    "no_name_of_torch": (annotated("torch.Foo"), "part Sound: an option's annotation can't be read .*torch.*Foo"),
    "no_expression": (annotated("foo bar"), "part Sound: an option's annotation can't be read .SyntaxError"),
    "not_imported": (annotated("Elsewhere"), "part Sound: .*'Elsewhere' is not defined.*import that name"),
    "empty_tuple": (annotated("tuple[()]", "()"), "option 'option' is annotated tuple.*, which TOML can't hold"),
    "union_with_text": (annotated("int | 'foo bar'"), "part Sound: an option's annotation can't be read .TypeError"),
    "kind_of_list": (SOUND.replace("shape = None", "kind = ['x']"), "part Sound: it derives from none of the interf"),
    "falls_when_looked_at": (
        SOUND.replace("class Sound(TaskFamily)", f"{UNHASHABLE}\nclass Sound(TaskFamily, metaclass=Unhashable)"),
        "its parts can't be judged: TypeError",
    ),
    "undocumented": (SOUND.replace("'''Draws nothing.'''", ""), "Sound: it has no docstring"),
}

numbers = itertools.count()


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Installs modules as plugins, for one test: ``install(plugin=source, ...)``."""
    points: list[EntryPoint] = []
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(entrypoints, "entry_points", lambda group: [p for p in points if p.group == group])

    def add(name: str, source: str) -> None:
        module = f"plugin_for_test_{next(numbers)}"
        (tmp_path / f"{module}.py").write_text(source.replace("{name}", name.replace("_", "-")))
        points.append(EntryPoint(name, module, GROUP))

    return add


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_plugin_is_named_and_the_others_work(install, name: str) -> None:
    source, reason = BROKEN[name]
    install("before", SOUND)
    install(name, source)
    install("after", SOUND)
    registry = load_registry()
    assert list(registry.broken) == [name]
    with pytest.raises(PartError, match=reason):
        raise PartError(registry.broken[name])
    assert sorted(registry.parts("task_family")) == ["after", "before"]


def test_a_module_that_is_not_there_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("ghost", "no_such_module_at_all", GROUP)
    monkeypatch.setattr(entrypoints, "entry_points", lambda group: [point])
    assert "no_such_module_at_all" in load_registry().broken["ghost"]


def test_a_second_plugin_of_one_name_is_reported(install) -> None:
    install("twin", SOUND)
    install("twin", SOUND.replace("{name}", "other"))
    registry = load_registry()
    assert list(registry.parts("task_family")) == ["twin"]
    (reason,) = registry.broken.values()
    assert "the name 'twin' is taken" in reason


def test_a_part_of_a_name_that_is_taken_is_reported(install) -> None:
    install("first", SOUND.replace("{name}", "same"))
    install("second", SOUND.replace("{name}", "same"))
    registry = load_registry()
    assert "plugin 'first' has a task_family 'same' already" in registry.broken["second"]


def test_registries_do_not_share_what_is_added(install) -> None:
    install("sound", SOUND)
    first, second = load_registry(), load_registry()
    first.broken["later"] = "added by hand"
    assert first.all() == second.all()
    assert second.broken == {}


def test_the_built_in_plugins_load() -> None:
    registry = load_registry()
    assert registry.broken == {}
    assert {"flat", "equivariant", "graph", "schedulers"} <= registry.plugins.keys()
