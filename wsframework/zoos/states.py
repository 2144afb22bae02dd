"""State dicts from files of others: safetensors, or what torch.save wrote, without ever running code from a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from wsframework.errors import StoreError
from wsframework.store import load_tensors

SAFE = ".safetensors"
PICKLED = (".pt", ".pth")
SUFFIXES = (SAFE, *PICKLED)


def read_state(path: Path) -> dict[str, Tensor]:
    """The state dict in the file ``path``.

    Raises:
        StoreError: where there is none that can be read without running code.
    """
    if path.suffix not in SUFFIXES:
        raise StoreError(f"{path}: a state dict is in a file that ends in {', '.join(SUFFIXES)}")
    found = load_tensors(path)[0] if path.suffix == SAFE else _unpickled(path)
    if not found:
        raise StoreError(f"{path}: the state dict is empty")
    return found


def _unpickled(path: Path) -> dict[str, Tensor]:
    try:
        found: Any = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise StoreError(f"{path}: can't be read ({error.strerror or error})") from None
    except Exception as error:  # of whatever class the damage of the file leads to
        raise StoreError(f"{path}: {_refusal(error)}") from None
    if not isinstance(found, Mapping):
        raise StoreError(f"{path}: holds {type(found).__name__}, and no state dict; save module.state_dict()")
    return {str(key): _tensor(path, key, value) for key, value in found.items()}


def _refusal(error: Exception) -> str:
    """Why torch did not read the file: it holds more than tensors, or it is damaged."""
    if "global" in str(error).lower() or "TorchScript" in str(error):
        return (
            "holds objects or code beside its tensors (a pickle), and reading these would run what the file says; "
            "save module.state_dict() alone, best as safetensors"
        )
    return f"can't be read as what torch.save wrote ({type(error).__name__}); is the file whole?"


def _tensor(path: Path, key: Any, value: Any) -> Tensor:
    if not isinstance(value, Tensor):
        inside = "; is it the state dict within? Save that by itself" if isinstance(value, Mapping) else ""
        raise StoreError(f"{path}: {key!r} holds {type(value).__name__}, which is no tensor{inside}")
    if value.layout != torch.strided or value.is_quantized:
        raise StoreError(f"{path}: {key!r} is sparse or quantized; make it a plain tensor")
    return value.detach()
