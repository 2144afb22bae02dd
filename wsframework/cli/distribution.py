"""`Distribution`: a plugin with one part, as the files that a package index takes."""

from __future__ import annotations

import keyword
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import jinja2

import wsframework
from wsframework.errors import RequestError

CHANGES = {
    "architecture": "network.use={name}",
    "conditioner": "conditioner.use={name}",
    "denoiser": "denoiser.use={name}",
    "encoder": "encoder.use={name}",
    "initializer": '\'compare.initializers=["random", "{name}"]\'',
    "scheduler": "scheduler.use={name}",
    "task_family": "tasks.use={name}",
}
"""By kind of part, the change to a config that puts one to use, as a shell takes it; features are no part of runs."""


@dataclass(frozen=True)
class Distribution:
    """The distribution of one part.

    Attributes:
        name: of the part, of the plugin, and of the folder.
        kind: of the part.
    """

    name: str
    kind: str

    @property
    def module(self) -> str:
        """The module's name: ``wsf_mlp_unet`` for ``mlp-unet``."""
        return f"wsf_{self.name.replace('-', '_')}"

    def files(self) -> dict[str, str]:
        """The text of every file, by its name."""
        templates = {
            "pyproject.toml": "pyproject.toml",
            f"{self.module}.py": f"{self.kind}.py",
            f"test_{self.module.removeprefix('wsf_')}.py": "test.py",
            "README.md": "README.md",
        }
        loader = jinja2.PackageLoader("wsframework.cli", "templates/plugin")
        found = jinja2.Environment(loader=loader, undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
        source, _, _ = loader.get_source(found, f"{self.kind}.py.j2")
        told = self._told(source)
        return {file: found.get_template(f"{name}.j2").render(told) for file, name in templates.items()}

    def _told(self, source: str) -> dict[str, str]:
        """What stands in the templates' gaps; ``source`` is that of the module."""
        return {
            "name": self.name,
            "kind": self.kind,
            "words": self.kind.replace("_", " "),
            "cls": class_name(self.name, source),
            "module": self.module,
            "project": self.module.replace("_", "-"),
            "pin": pin(wsframework.__version__),
            "change": CHANGES.get(self.kind, "").format(name=self.name),
        }

    def write(self, out: Path) -> Path:
        """All files in a new folder of ``out``, or, where something is in the way, none; returns the folder.

        Raises:
            RequestError: where the folder can't be made.
        """
        folder, unfinished = out / self.name, out / f".{self.name}.unfinished"
        files = self.files()
        try:
            unfinished.mkdir(parents=True)
            for file, text in files.items():
                (unfinished / file).write_text(text, encoding="utf-8")
            unfinished.rename(folder)
        except OSError as error:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise RequestError(f"the folder {folder} can't be written: {error.strerror or error}") from None
        return folder


def class_name(name: str, source: str) -> str:
    """A part's name as a class's, which ``source`` does not use for something else.

    >>> class_name("mlp-unet", ""), class_name("tensor", "from torch import Tensor"), class_name("none", "")
    ('MlpUnet', 'TensorPart', 'NonePart')
    """
    words = "".join(word.capitalize() for word in re.split("[-_]", name))
    taken = keyword.iskeyword(words) or re.search(rf"\b{words}\b", source)
    return f"{words}Part" if taken else words


def pin(version: str) -> str:
    """The versions that promise to work as ``version`` does.

    >>> pin("0.1.0"), pin("1.4.2")
    ('>=0.1,<0.2', '>=1.4,<2')
    """
    major, minor = (int(number) for number in version.split(".")[:2])
    return f">={major}.{minor},<{f'0.{minor + 1}' if major == 0 else major + 1}"
