"""Pages of the documentation, executed block by block.

Python is run, TOML is read as a config, and command lines are carried out by the command itself, in this process.
A block whose first line is a comment with a file's name is written as that file. What takes long (the example
runs, benchmarks) is checked as far as it can be without the work.
"""

from __future__ import annotations

import importlib
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import typer.main
from sybil import Document, Example, Region, Sybil
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser
from typer.testing import CliRunner

from wsframework import benchmarks
from wsframework.cli.app import app
from wsframework.config.reading import read_config
from wsframework.config.resolving import resolve
from wsframework.parts.entrypoints import load_registry

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
LANGUAGES = {"python", "bash", "toml", "text"}

FILE = re.compile(r"# ([\w.-]+\.(?:py|toml))\n")
EXIT = re.compile(r"# exits with (\d+)")
OTHER_COMMANDS = {"python -m venv", ". .venv/bin/activate", "pip install", "ruff", "mypy", "lint-imports"}
"""How a command line that is not ours may begin; nothing is done for it here."""

LEAST: dict[str, Any] = {
    "name": "fragment",
    "tasks": {"use": "gaussians", "seen": 4},
    "zoo": {"size": 4},
    "train": {"steps": 1},
    "finetune": {"epochs": 1},
}


def execute(page: Path) -> int:
    """Run every block of ``page`` in the current folder; returns how many there were."""
    document = Sybil([Python(), CodeBlockParser("toml", toml), CodeBlockParser("bash", bash)]).parse(page)
    document.namespace["__name__"] = page.stem
    examples = list(document.examples())
    for example in examples:
        example.evaluate()
    return len(examples)


class Python(PythonCodeBlockParser):
    """Python blocks, those with a file's name apart."""

    def __call__(self, document: Document) -> Iterator[Region]:
        for region in super().__call__(document):
            if isinstance(region.parsed, str) and FILE.match(region.parsed):
                region.evaluator = lambda example: write(example.parsed)
            yield region


def write(text: str) -> None:
    """The block as a file of the current folder."""
    match = FILE.match(text)
    assert match
    Path(match[1]).write_text(text)


def toml(example: Example) -> None:
    """A file, or a fragment of a config: the least config with it must be valid."""
    if FILE.match(example.parsed):
        return write(example.parsed)
    _, mistakes = resolve(merged(LEAST, tomllib.loads(example.parsed)), load_registry())
    assert not mistakes, mistakes
    return None


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """``base`` with the tables of ``changes`` in it."""
    both = {
        k: merged(base[k], v) for k, v in changes.items() if isinstance(v, Mapping) and isinstance(base.get(k), Mapping)
    }
    return {**base, **changes, **both}


def bash(example: Example) -> None:
    """Every command of the block."""
    for line in example.parsed.splitlines():
        wanted = EXIT.search(line)
        for command in shlex.split(line, comments=True) and line.split("#")[0].split(" && "):
            carry_out(command.strip(), int(wanted[1]) if wanted else 0)


def carry_out(command: str, code: int = 0) -> None:
    """One command line, which must leave with ``code``."""
    words = shlex.split(command)
    if words[0] == "wsf":
        parse(words[1:])
        if words[1] != "run" or not words[2].startswith("examples/"):
            return wsf(words[1:], code)
        changes = [value for option, value in pairwise(words) if option == "--set"]
        read_config(ROOT / words[2], load_registry(), changes)
    elif words[:3] == ["python", "-m", "pytest"] and Path(words[-1]).exists():
        path = os.pathsep.join([str(Path.cwd()), *os.environ.get("PYTHONPATH", "").split(os.pathsep)])
        done = subprocess.run([sys.executable, *words[1:]], env={**os.environ, "PYTHONPATH": path}, capture_output=True)
        assert done.returncode == code, done.stdout.decode()
    elif words[:3] == ["pip", "install", "-e"] and Path(words[3], "pyproject.toml").exists():
        install(Path(words[3]))
    elif words[0] == "python" and words[1].startswith("examples/"):
        compile((ROOT / words[1]).read_text(encoding="utf-8"), words[1], "exec")
    elif words[:3] != ["python", "-m", "pytest"]:
        assert any(command.startswith(known) for known in OTHER_COMMANDS), command
    return None


def parse(words: list[str]) -> None:
    """Refuse a command line with an unknown command, option or argument (as ``typer`` does)."""
    group: Any = typer.main.get_command(app)
    name, rest = words[0], words[1:]
    if name in group.commands:
        group.commands[name].make_context(name, rest, resilient_parsing=False)


def wsf(words: list[str], code: int) -> None:
    """Carry out our own command; of a benchmark, see only that there is one of the name."""
    if words[0] == "bench" and len(words) > 1 and not words[1].startswith("-"):
        assert words[1] in benchmarks.names()
        return
    result = CliRunner().invoke(app, words)
    assert result.exit_code == code, f"wsf {shlex.join(words)}: {result.output} {result.exception!r}"


def install(folder: Path) -> None:
    """What an editable install of ``folder`` does: its modules and entry points become known."""
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    info = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    groups = project["entry-points"].items()
    lines = [f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in points.items()) for group, points in groups]
    (info / "entry_points.txt").write_text("\n".join(lines))
    if str(folder.resolve()) not in sys.path:
        sys.path.append(str(folder.resolve()))
    importlib.invalidate_caches()
