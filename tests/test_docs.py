"""What is written runs, and nothing that there is goes unnamed."""

from __future__ import annotations

import doctest
import importlib
import inspect
import json
import pkgutil
import re
import shutil
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import tomlkit
import typer.main
from documents import LANGUAGES, PAGES, ROOT, execute
from reference_rows import config_rows, part_rows, sections
from tiny import REGISTRY, TABLES, made, tiny
from undrawn import empty

import wsframework
import wsframework.testing.architectures
import wsframework.testing.strategies
import wsframework.testing.task_strategies
from wsframework.cli.app import app
from wsframework.cli.distribution import Distribution
from wsframework.config.filling import a
from wsframework.parts.interfaces import INTERFACES, Part
from wsframework.pipeline.ablate import ablate
from wsframework.pipeline.run import run
from wsframework.testing.promises import CHECKS
from wsframework.tracing.rules import RULES

REFERENCE = ROOT / "docs" / "reference"
EXAMPLES = sorted((ROOT / "examples").glob("*.toml"))
FIRST: dict[str, Any] = {**TABLES, "name": "first", "train": {"steps": 5}}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

by_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def reference(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


# ------------------------------------------------------------------------------------------------ what is written runs


@pytest.fixture(scope="module")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The tutorial's run, at tiny size, and its scores."""
    folder = tmp_path_factory.mktemp("first")
    return folder, run(made({}, FIRST), REGISTRY, folder, "cpu").scores


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder to work in, beside the examples; modules and plugins that appear in it can be imported."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    before, rules = set(sys.modules), dict(RULES)
    yield tmp_path
    RULES.clear()
    RULES.update(rules)  # without those that a page added
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@by_page
def test_the_code_of_a_page_runs(
    page: Path, workplace: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    if page.parent.name == "how-to":
        monkeypatch.setattr("wsframework.pipeline.report.drawing.saved", empty)
        (workplace / "first.toml").write_text(tomlkit.dumps(FIRST))
        shutil.copytree(request.getfixturevalue("first_run")[0], workplace / "runs" / "first")
    fences = re.findall(r"^```(\w+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert execute(page) >= sum(fence in ("python", "toml", "bash") for fence in fences)


WRONG = {
    "code that fails": "```python\n1 / 0\n```\n",
    "another answer": "```python\n>>> 1 + 1\n3\n```\n",
    "an unknown key": "```toml\n[train]\nstepz = 3\n```\n",
    "an unknown option": "```bash\nwsf bench zoo --jsn\n```\n",
    "an unknown command": "```bash\nwsf rnu first.toml\n```\n",
    "an unknown key of an example": "```bash\nwsf run examples/paper.toml --set zoo.sise=3\n```\n",
    "an unknown benchmark": "```bash\nwsf bench zooo\n```\n",
    "a stranger's command": "```bash\nfrobnicate\n```\n",
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG)
def test_a_wrong_page_is_caught(text: str, workplace: Path) -> None:
    page = workplace / "page.md"
    page.write_text(f"# Wrong\n\n{text}")
    with pytest.raises((Exception, SystemExit)):
        execute(page)


@by_page
def test_every_block_has_a_language_that_is_checked(page: Path) -> None:
    fences = re.findall(r"^\s*```(.*)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert set(fences[::2]) <= LANGUAGES
    assert set(fences[1::2]) <= {""}


def modules() -> Iterator[str]:
    for package in ("wsframework", *(path.name for path in (ROOT / "plugins").iterdir() if path.is_dir())):
        yield package
        yield from (m.name for m in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."))


def doctests(module: ModuleType) -> list[doctest.DocTest]:
    return [test for test in doctest.DocTestFinder().find(module) if test.examples]


def test_the_examples_of_docstrings_hold() -> None:
    found = [test for name in modules() for test in doctests(importlib.import_module(name))]
    assert {"wsframework.errors.nearest", "wsframework.spaces.space.WeightSpace"} <= {test.name for test in found}
    runner = doctest.DocTestRunner()
    for test in found:
        runner.run(test)
    assert runner.summarize(verbose=False).failed == 0


@by_page
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            path, _, anchor = target.partition("#")
            other = (page.parent / path).resolve() if path else page
            assert other.is_relative_to(ROOT), target
            assert other.exists(), target
            assert not anchor or anchor in anchors(other), target


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as code hosts make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@by_page
def test_measured_figures_stand_between_marks(page: Path) -> None:
    marks = re.findall(r"<!-- (measured: [\w-]+|/measured) -->", page.read_text(encoding="utf-8"))
    assert all(mark.startswith("measured") for mark in marks[::2])
    assert set(marks[1::2]) <= {"/measured"}
    assert len(marks) % 2 == 0


# --------------------------------------------------------------------------------------- what there is is written about


@pytest.mark.parametrize("name", wsframework.__all__)
def test_every_public_name_is_in_the_reference(name: str) -> None:
    assert re.search(rf"`(wsf\.)?{name}`", reference("python.md"))


def test_every_abstract_method_is_in_the_reference() -> None:
    text = sections(reference("python.md"), 2)["Interfaces"]
    for interface in INTERFACES.values():
        (line,) = [line for line in text.splitlines() if line.startswith(f"| `{interface.__name__}` |")]
        assert all(re.search(rf"`{method}\b", line) for method in interface.__abstractmethods__), line


@pytest.mark.parametrize("section", config_rows())
def test_every_key_of_a_config_is_in_the_reference(section: str) -> None:
    text = sections(reference("config.md"), 2)[section]
    assert [row for row in config_rows()[section] if row not in text] == []


def test_the_reference_has_no_key_that_a_config_lacks() -> None:
    for section, rows in config_rows().items():
        keys = re.findall(r"^\| `(\w+)` \|", sections(reference("config.md"), 2)[section], flags=re.MULTILINE)
        assert sorted(keys) == sorted(row.split("`")[1] for row in rows), section


@pytest.mark.parametrize("part", REGISTRY.all(), ids=lambda part: f"{part.kind}:{part.name}")
def test_every_part_is_in_the_reference(part: type[Part]) -> None:
    text = sections(sections(reference("parts.md"), 2)[part.kind], 3)[part.name]
    assert [told for told in part_rows(part) if told not in text] == []


def test_the_reference_has_no_part_or_option_that_there_is_not() -> None:
    for kind, text in sections(reference("parts.md"), 2).items():
        parts = REGISTRY.parts(kind)
        for name, about in sections(text, 3).items():
            assert set(re.findall(r"^\| `(\w+)` \|", about, flags=re.MULTILINE)) == set(parts[name].options()), name


def commands(group: Any, words: tuple[str, ...] = ("wsf",)) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command below ``group``, those of its subgroups too, by the words that call it."""
    for name, command in group.commands.items():
        yield (*words, name), command
        yield from commands(command, (*words, name)) if hasattr(command, "commands") else ()


def test_every_command_and_option_is_in_the_reference() -> None:
    group: Any = typer.main.get_command(app)
    about = {" ".join(words): command for words, command in commands(group)}
    told = {**sections(reference("cli.md"), 2), **sections(reference("cli.md"), 3)}
    assert set(told) == set(about)
    for name, command in about.items():
        options = {o for p in command.params for o in p.opts if o.startswith("--")} - {"--help"}
        assert set(re.findall(r"^\| `(--[\w-]+)", told[name].split("\n### ")[0], flags=re.MULTILINE)) == options, name
    assert all(o in reference("cli.md") for p in group.params for o in p.opts)


KIND_PAGES = {
    kind: ROOT / "docs" / "how-to" / f"write-{a(kind).replace('_', '-').replace(' ', '-')}.md" for kind in INTERFACES
}
PROMISE_PAGES = {**KIND_PAGES, "part": ROOT / "docs" / "how-to" / "write-a-plugin.md"}
by_kind = pytest.mark.parametrize("kind", KIND_PAGES)


@pytest.mark.parametrize("kind", CHECKS)
def test_every_promise_is_in_the_page_of_its_kind(kind: str) -> None:
    text = PROMISE_PAGES[kind].read_text(encoding="utf-8")
    (heading,) = [heading for heading in sections(text, 2) if re.fullmatch("What .+ promises?", heading)]
    found = [" ".join(line.split()) for line in sections(text, 2)[heading].splitlines() if line.startswith("| `")]
    wanted = [
        f"| `{check.name}` | {' '.join(check.promise.split())} |".replace("||", "\\|\\|") for check in CHECKS[kind]
    ]
    assert "\n".join(found) == "\n".join(wanted)


@by_kind
def test_the_part_of_a_page_is_what_wsf_new_writes(kind: str) -> None:
    page = KIND_PAGES[kind].read_text(encoding="utf-8")
    (file, code) = re.findall(r"```python\n# (\w+\.py)\n(.+?)```", page, flags=re.DOTALL)[0]
    name = file.removeprefix("wsf_").removesuffix(".py")
    assert code == Distribution(name, kind).files()[file]
    assert f"wsf new plugin {name} --kind {kind.replace('_', '-')}\n" in page


@by_kind
def test_every_page_of_a_kind_is_linked(kind: str) -> None:
    name = KIND_PAGES[kind].name
    for page in ("index.md", "how-to/write-a-plugin.md", "reference/testing.md"):
        assert f"{name}" in (ROOT / "docs" / page).read_text(encoding="utf-8"), page


def strategies() -> Iterator[str]:
    """The public functions and classes of the modules that generate."""
    for module in (
        wsframework.testing.architectures,
        wsframework.testing.strategies,
        wsframework.testing.task_strategies,
    ):
        functions = {n: v for n, v in vars(module).items() if inspect.isfunction(v) or inspect.isclass(v)}
        yield from (n for n, f in functions.items() if f.__module__ == module.__name__ and not n.startswith("_"))


@pytest.mark.parametrize("name", [*wsframework.testing.__all__, *strategies()])
def test_every_name_for_testing_is_in_the_reference(name: str) -> None:
    assert re.search(rf"^(\| )?`{name}(`|\()", reference("testing.md"), flags=re.MULTILINE)


def test_every_check_is_in_the_reference() -> None:
    text = sections(reference("testing.md"), 2)["Checks"]
    found = {
        words: re.findall(r"`(\w+)`", cells) for words, cells in re.findall(r"^\| \[(.+?)\].+?\| (.+) \|$", text, re.M)
    }
    assert found == {k.replace("_", " "): [c.name for c in CHECKS[k]] for k in sorted(INTERFACES)}
    assert all(f"[`{check}`]" in text for check in CHECKS["part"])


def keys(value: Any, names: set[str]) -> set[str]:
    """All keys of nested objects, except those of objects that are keyed by ``names``."""
    if not isinstance(value, dict):
        return set()
    return {k for k in value if k not in names} | {key for inner in value.values() for key in keys(inner, names)}


def test_every_key_of_the_scores_is_in_the_reference(first_run: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    scores = first_run[1]
    plain = tiny(train__steps=2, compare__initializers=("random", "prior"), ablate={"train.lr": (0.1, 0.2)})
    several = ablate(plain, REGISTRY, tmp_path, "cpu").scores
    names = {*scores["curves"], *scores["cost"], *several["variants"], "train.lr"}
    found = keys(scores, names) | keys({k: v for k, v in several.items() if k != "runs"}, names - {"prior"})
    assert {key for key in found if not re.search(rf"\b{key}\b", reference("scores.md"))} == set()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_every_example_run_is_described(path: Path) -> None:
    text = sections(reference("examples.md"), 2)[f"examples/{path.name}"]
    assert f"wsf run examples/{path.name}" in text
    assert f"`examples/{path.name}`" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_dependency_has_a_sentence() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    extras = [name for extra in PROJECT["optional-dependencies"].values() for name in extra]
    for requirement in [*PROJECT["dependencies"], *extras]:
        name = re.split(r"[<>=!~\[ ]", requirement)[0]
        assert re.search(rf"^- `{name}`: .+\.$", text, flags=re.MULTILINE), name


def test_continuous_integration_runs_the_tests_as_the_readme_does() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    install = 'pip install -c constraints.txt -e ".[dev]"'
    (command,) = re.findall(rf"{re.escape(install)} && (.*pytest.*)\n", readme)
    first, *others = [line for line in lines if "pytest" in line]
    assert first == command
    assert f"python -m {install.replace('install', 'install --quiet')}" in lines[: lines.index(first)]
    assert all(lines.index('cd "$outside"') < lines.index(line) for line in others)


def test_continuous_integration_tries_the_plugin_outside_as_its_readme_does() -> None:
    """What its README says, word for word but for options; and from outside, so that nothing is found by chance."""
    readme = (ROOT / "examples" / "own_plugin" / "README.md").read_text(encoding="utf-8")
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    (block,) = re.findall(r"```bash\n(.+?)```", readme, flags=re.DOTALL)
    install, *commands = block.splitlines()
    (installed,) = [line for line in lines if line.endswith(install.split()[-1])]
    assert "-e" not in installed.split()
    outside = lines[lines.index('cd "$outside"') + 1 :]
    for command in commands:
        assert any(set(command.split()) <= set(line.split()) for line in outside), command


def test_versions_agree() -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"version: {PROJECT['version']}" in citation
    assert f"## {PROJECT['version']} - " in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert wsframework.__version__ == PROJECT["version"]
    assert json.dumps(PROJECT["license"]) == '"MIT"'
