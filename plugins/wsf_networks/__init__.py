"""Built-in architectures."""

from collections.abc import Iterable

from wsframework.parts.hookspecs import hookimpl
from wsframework.parts.interfaces import Part


@hookimpl
def wsf_parts() -> Iterable[type[Part]]:
    """Perceptrons, convolutional, recurrent, attention and implicit networks."""
    from wsf_networks.cnn import Cnn
    from wsf_networks.mlp import Mlp
    from wsf_networks.recurrent import Gru, Rnn
    from wsf_networks.resnet import ResNet
    from wsf_networks.siren import Siren
    from wsf_networks.transformer import Transformer

    return [Mlp, Cnn, ResNet, Transformer, Gru, Rnn, Siren]
