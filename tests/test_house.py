"""The rules of the house that no linter knows."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main

import wsframework
from wsframework.cli.app import app
from wsframework.parts.entrypoints import load_registry

ROOT = Path(__file__).parent.parent
SOURCES = sorted([*(ROOT / "wsframework").rglob("*.py"), *(ROOT / "plugins").rglob("*.py")])
DOCS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LONGEST = 300

by_path = pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def calls(module: ast.Module) -> Iterator[str]:
    yield from (ast.unparse(node.func) for node in ast.walk(module) if isinstance(node, ast.Call))


def harmless(module: ast.Module) -> int:
    """How often the module reads tensors of others by ``torch.load(..., weights_only=True)``, which runs no code."""
    loads = [node for node in ast.walk(module) if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load"]
    return sum(any(ast.unparse(k) == "weights_only=True" for k in node.keywords) for node in loads)


@by_path
def test_nothing_is_pickled(path: Path) -> None:
    module = tree(path)
    pickles = {"pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}
    assert not pickles & {name.split(".")[0] for name in imports(module)}
    assert not {"torch.save", "np.load", "numpy.load"} & {*calls(module), *imports(module)}
    assert [*calls(module), *imports(module)].count("torch.load") == harmless(module)


@by_path
def test_only_the_command_line_prints(path: Path) -> None:
    if "cli" not in path.parts:
        assert "print" not in set(calls(tree(path)))


@by_path
def test_a_file_stays_readable(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


@by_path
def test_no_module_is_named_for_leftovers(path: Path) -> None:
    assert path.stem not in {"utils", "helpers", "common", "base", "misc", "manager"}


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["run", "--help"],
        ["sample", "--help"],
        ["plugins", "--help"],
        ["check", "--help"],
        ["new", "--help"],
        ["new", "plugin", "--help"],
        ["zoo", "import", "--help"],
        ["--version"],
        ["bench"],
    ],
)
def test_help_needs_no_torch(words: list[str]) -> None:
    script = "import sys, atexit; from wsframework.cli import main\n"
    script += "atexit.register(lambda: sys.stderr.write('HEAVY' if 'torch' in sys.modules else 'LIGHT'))\nmain()"
    done = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True, check=True)
    assert done.stderr == "LIGHT"


def test_every_public_name_is_there_and_listed() -> None:
    for name in wsframework.__all__:
        assert getattr(wsframework, name) is not None
        assert name in dir(wsframework)
    with pytest.raises(AttributeError, match="no attribute 'Wieghts'"):
        _ = wsframework.Wieghts


def test_types_are_shipped() -> None:
    for package in (ROOT / "wsframework", *(p for p in (ROOT / "plugins").iterdir() if (p / "__init__.py").exists())):
        assert (package / "py.typed").exists(), package


def written() -> str:
    if len(DOCS) == 1:
        pytest.skip("there are no docs yet")
    return "\n".join(path.read_text(encoding="utf-8") for path in DOCS)


def test_the_docs_name_every_command_and_option() -> None:
    text = written()
    group = typer.main.get_command(app)
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        assert f"wsf {name}" in text, name
        for parameter in command.params:
            for option in (o for o in parameter.opts if o.startswith("--")):
                assert option in text, f"wsf {name} {option}"


def test_the_docs_name_the_hook_and_every_part() -> None:
    text = written()
    assert "wsf_parts" in text
    for part in load_registry().all():
        assert f"`{part.name}`" in text or f'"{part.name}"' in text, f"{part.kind} {part.name}"
