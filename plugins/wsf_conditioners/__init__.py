"""Built-in conditioners: what is known of a task, as an embedding."""

from collections.abc import Iterable

from wsframework.parts.hookspecs import hookimpl
from wsframework.parts.interfaces import Part


@hookimpl
def wsf_parts() -> Iterable[type[Part]]:
    """The conditioners of this package."""
    from wsf_conditioners.code import Code
    from wsf_conditioners.concat import Concat
    from wsf_conditioners.embedding import MeanEmbedding
    from wsf_conditioners.example_set import ExampleSet
    from wsf_conditioners.moments import Moments
    from wsf_conditioners.none import Unconditional
    from wsf_conditioners.text import Text

    return [Moments, MeanEmbedding, ExampleSet, Code, Text, Concat, Unconditional]
