"""Networks named on the command line: ``MODULE:FACTORY``, its arguments, and example inputs."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from wsframework.errors import RequestError, nearest

if TYPE_CHECKING:
    from torch import Tensor, nn

_INPUT = re.compile(r"(?P<shape>\d+(,\d+)*)(:(?P<below>[1-9]\d*))?$")


def network_named(asked: str, arguments: Sequence[str]) -> nn.Module:
    """The module that ``MODULE:FACTORY`` makes, in evaluation mode.

    Arguments:
        asked: an importable module or a file ending in ``.py``; a class, a function, or a module that is there.
        arguments: for the factory: ``VALUE`` or ``NAME=VALUE``, values as in JSON, else text.

    Raises:
        RequestError: naming what is not there, or what the factory said.
    """
    import torch

    factory = _factory(asked)
    values = [_argument(argument) for argument in arguments]
    positional = [value for name, value in values if name is None]
    if isinstance(factory, torch.nn.Module):
        network: Any = factory
    else:
        torch.manual_seed(0)
        network = _made(asked, factory, positional, {name: value for name, value in values if name is not None})
    if not isinstance(network, torch.nn.Module):
        raise RequestError(f"{asked} gives {type(network).__name__}, which is no torch.nn.Module")
    return network.eval()


def _factory(asked: str) -> Any:
    from wsframework.cli.finding import module_named

    where, colon, name = asked.rpartition(":")
    if not colon:
        raise RequestError(f"{asked!r} names no factory; write MODULE:FACTORY, such as torchvision.models:resnet18")
    module = module_named(where)
    if module is None:
        raise RequestError(f"there is no module {where!r}")
    if not hasattr(module, name):
        known = [word for word, value in vars(module).items() if callable(value) and not word.startswith("_")]
        raise RequestError(f"module {where!r} has no {name!r}{nearest(name, known)}")
    return getattr(module, name)


def _made(asked: str, factory: Any, positional: Sequence[Any], named: dict[str, Any]) -> Any:
    if not callable(factory):
        raise RequestError(f"{asked} is {type(factory).__name__}, which makes no network")
    try:
        return factory(*positional, **named)
    except Exception as error:
        raise RequestError(f"{asked} can't be made: {type(error).__name__}: {error}") from None


def _argument(text: str) -> tuple[str | None, Any]:
    """``NAME=VALUE`` or ``VALUE``."""
    name, equals, value = text.partition("=")
    if equals and name.isidentifier():
        return name, _value(value)
    return None, _value(text)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return {"True": True, "False": False, "None": None}.get(text, text)


def example_input(text: str) -> Tensor:
    """``2,3,32,32``: standard normal numbers of this shape; ``2,16:100``: whole numbers below 100.

    Raises:
        RequestError: where the text is neither.
    """
    import torch

    match = _INPUT.match(text.replace(" ", ""))
    if match is None:
        raise RequestError(
            f"--input {text!r} is no shape; write 1,3,32,32, or 2,16:100 for whole numbers below 100 (indices of words)"
        )
    shape = [int(word) for word in match["shape"].split(",")]
    generator = torch.Generator().manual_seed(0)
    if match["below"]:
        return torch.randint(0, int(match["below"]), shape, generator=generator)
    return torch.randn(shape, generator=generator)
