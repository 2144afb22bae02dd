"""Files that are whole or absent, whatever moment the process dies at.

Tensors are kept as safetensors, all else as JSON; nothing that is written or read here is a pickle.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from wsframework.errors import StoreError

PARTIAL = ".partial"  # how the name of an unfinished file ends; a dead process may leave one behind


def write_atomic(path: Path, content: bytes | str) -> None:
    """``content`` (text as UTF-8) as the file ``path``: after a crash, the old content or the new, never a mixture.

    The file is flushed to disk under another name, then renamed; its mode follows the umask.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}{PARTIAL}")
    try:
        with partial.open("xb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    sync_folder(path.parent)


def remove_file(path: Path) -> None:
    """No file ``path`` any more (nor after a crash)."""
    if path.exists():
        path.unlink()
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Flush the names of a folder's files to disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def save_json(path: Path, value: Any) -> None:
    """``value`` as an indented JSON file, written atomically."""
    write_atomic(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def load_json(path: Path) -> Any:
    """What `save_json` wrote.

    Raises:
        StoreError: naming the file, if it is missing or no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StoreError(f"{path}: can't be read ({error.strerror})") from None
    except ValueError as error:
        raise StoreError(f"{path}: not a JSON file ({error})") from None


def save_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> None:
    """Tensors of any shapes, strides and devices as one safetensors file, written atomically."""
    write_atomic(path, serialized(tensors, metadata))


def serialized(tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> bytes:
    """The content of the file that `save_tensors` writes."""
    # safetensors refuses views and tensors that share storage; clones are neither
    own = {n: t.detach().cpu().clone(memory_format=torch.contiguous_format) for n, t in tensors.items()}
    return safetensors.torch.save(own, metadata=dict(metadata) if metadata else None)  # {} would write a bad header


def load_tensors(path: Path, names: Collection[str] | None = None) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors (those called ``names``, or all) and the metadata of a safetensors file.

    Raises:
        StoreError: naming the file, if it is missing or damaged.
    """
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in (file.keys() if names is None else names)}
            return tensors, file.metadata() or {}
    except FileNotFoundError:
        raise StoreError(f"{path}: no such file") from None
    except (OSError, safetensors.SafetensorError) as error:
        raise StoreError(f"{path}: not a readable safetensors file ({error})") from None
