"""Built-in parts that take weights as one flat vector, coordinate by coordinate or cut into tokens."""

from collections.abc import Iterable

from wsframework.parts.hookspecs import hookimpl
from wsframework.parts.interfaces import Part


@hookimpl
def wsf_parts() -> Iterable[type[Part]]:
    """The parts of this plugin."""
    from wsf_flat.components import PrincipalComponents
    from wsf_flat.coordinate import Coordinate
    from wsf_flat.mlp_unet import MlpUnet
    from wsf_flat.sane import Sane
    from wsf_flat.tokens import Tokens

    return [MlpUnet, Tokens, Coordinate, PrincipalComponents, Sane]
