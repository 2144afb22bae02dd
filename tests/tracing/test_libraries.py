"""Models of the transformers library and of torch_geometric: the group is the one known for their kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from networks import Free
from test_corpus import chains
from torch import Tensor, nn

from wsframework.spaces import WeightSpace
from wsframework.tracing import examine

pytestmark = pytest.mark.slow

WIDTH, HEADS, SIZE, INNER = 24, 3, 8, 40
BLOCK: list[Free] = [HEADS, (SIZE, HEADS), (SIZE, HEADS), INNER]
SIZES = {"hidden_size": WIDTH, "num_hidden_layers": 2, "num_attention_heads": HEADS, "intermediate_size": INNER}
TEXT = {**SIZES, "vocab_size": 30, "max_position_embeddings": 16}
IMAGE = {**SIZES, "image_size": 16, "patch_size": 4}


class Called(nn.Module):
    """A model of the library, of whose results one is taken."""

    def __init__(self, model: nn.Module, result: str, **options: Any) -> None:
        super().__init__()
        self.model, self.result, self.options = model, result, options

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = getattr(self.model(x, **self.options), self.result)
        return out


def words() -> Tensor:
    return torch.randint(0, 30, (2, 7))


def pixels(size: int = 16) -> Tensor:
    return torch.randn(2, 3, size, size)


Case = tuple[nn.Module, tuple[Any, ...], Sequence[Free]]


def bert(t: Any) -> Case:
    """The head's dense layer ends in the residual stream: what follows is tied to the embedding."""
    model = t.BertForMaskedLM(t.BertConfig(**TEXT))
    return Called(model, "logits"), (words(),), [WIDTH, *BLOCK, *BLOCK]


def gpt2(t: Any) -> Case:
    config = t.GPT2Config(n_embd=WIDTH, n_layer=2, n_head=HEADS, vocab_size=30, n_positions=16)
    dims = [WIDTH, *(HEADS, (SIZE, HEADS), (SIZE, HEADS), 4 * WIDTH) * 2]
    return Called(t.GPT2LMHeadModel(config), "logits", use_cache=False), (words(),), dims


def llama(t: Any) -> Case:
    """Two heads of keys, each for two of queries; rotary positions fix the entries of queries and keys."""
    grouped = {"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 6}
    config = t.LlamaConfig(**{**TEXT, **grouped})
    dims = [WIDTH, *(2, (2, 2), (6, 2), INNER) * 2]
    return Called(t.LlamaForCausalLM(config), "logits", use_cache=False), (words(),), dims


def gpt_neox(t: Any) -> Case:
    """Packed head by head; rotary positions turn a quarter of each key."""
    dims = [WIDTH, *(HEADS, (SIZE - 2, HEADS), (SIZE, HEADS), INNER) * 2]
    return Called(t.GPTNeoXForCausalLM(t.GPTNeoXConfig(**TEXT)), "logits", use_cache=False), (words(),), dims


def bloom(t: Any) -> Case:
    """Packed head by head; each head has a slope of its own, which fixes it."""
    config = t.BloomConfig(hidden_size=WIDTH, n_layer=2, n_head=HEADS, vocab_size=30)
    dims = [WIDTH, *((SIZE, HEADS), (SIZE, HEADS), 4 * WIDTH) * 2]
    return Called(t.BloomForCausalLM(config), "logits", use_cache=False), (words(),), dims


def phi(t: Any) -> Case:
    """Rotary positions turn a half of each key."""
    dims = [WIDTH, *(HEADS, (SIZE - 4, HEADS), (SIZE, HEADS), INNER) * 2]
    return Called(t.PhiForCausalLM(t.PhiConfig(**TEXT)), "logits", use_cache=False), (words(),), dims


def gptj(t: Any) -> Case:
    """Rotary positions turn a half of each key, in pairs of neighbours."""
    config = t.GPTJConfig(n_embd=WIDTH, n_layer=2, n_head=HEADS, vocab_size=30, n_positions=16, rotary_dim=4)
    dims = [WIDTH, *(HEADS, (SIZE - 4, HEADS), (SIZE, HEADS), 4 * WIDTH) * 2]
    return Called(t.GPTJForCausalLM(config), "logits", use_cache=False), (words(),), dims


def vit(t: Any) -> Case:
    return Called(t.ViTForImageClassification(t.ViTConfig(**IMAGE)), "logits"), (pixels(),), [WIDTH, *BLOCK, *BLOCK]


def resnet(t: Any) -> Case:
    config = t.ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 2], layer_type="basic")
    return Called(t.ResNetForImageClassification(config), "logits"), (pixels(32),), [8, 8, 16, 16, 16]


def distilbert(t: Any) -> Case:
    config = t.DistilBertConfig(
        dim=WIDTH, n_layers=2, n_heads=HEADS, hidden_dim=INNER, vocab_size=30, max_position_embeddings=16
    )
    return Called(t.DistilBertForMaskedLM(config), "logits"), (words(),), [WIDTH, *BLOCK, *BLOCK]


def opt(t: Any) -> Case:
    config = t.OPTConfig(
        hidden_size=WIDTH, num_hidden_layers=2, num_attention_heads=HEADS, ffn_dim=INNER, vocab_size=30,
        word_embed_proj_dim=WIDTH, max_position_embeddings=16,
    )  # fmt: skip
    return Called(t.OPTForCausalLM(config), "logits", use_cache=False), (words(),), [WIDTH, *BLOCK, *BLOCK]


def clip_text(t: Any) -> Case:
    config = t.CLIPTextConfig(**TEXT, projection_dim=8, eos_token_id=29)
    return Called(t.CLIPTextModelWithProjection(config), "text_embeds"), (words(),), [WIDTH, *BLOCK, *BLOCK]


def clip_vision(t: Any) -> Case:
    config = t.CLIPVisionConfig(**IMAGE, projection_dim=8)
    return Called(t.CLIPVisionModelWithProjection(config), "image_embeds"), (pixels(),), [WIDTH, *BLOCK, *BLOCK]


def whisper(t: Any) -> Case:
    """Its sinusoidal positions are parameters of the state, and the first convolution has channels of its own."""
    config = t.WhisperConfig(
        d_model=WIDTH, encoder_layers=2, encoder_attention_heads=HEADS, encoder_ffn_dim=INNER, num_mel_bins=8,
        max_source_positions=10,
    )  # fmt: skip
    encoder = t.models.whisper.modeling_whisper.WhisperEncoder(config)
    return Called(encoder, "last_hidden_state"), (torch.randn(2, 8, 20),), [WIDTH, *BLOCK, *BLOCK]


MODELS: list[Callable[[Any], Case]] = [
    bert, gpt2, llama, gpt_neox, bloom, phi, gptj, vit, resnet, distilbert, opt, clip_text, clip_vision, whisper,
]  # fmt: skip


def judge(case: Case) -> None:
    module, args, dims = case
    found = examine(module.eval(), args)
    wanted = sorted((dim if isinstance(dim, tuple) else (dim,) for dim in dims), key=str)
    assert [sizes for sizes, _ in chains(found.space)] == wanted
    assert found.error <= 1e-12
    assert not found.space.notes
    assert WeightSpace.parse(str(found.space)) == found.space


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("make", MODELS, ids=lambda make: make.__name__)
def test_transformers(make: Callable[[Any], Case], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    library = pytest.importorskip("transformers", reason="the extra `corpus` is not installed")
    torch.manual_seed(0)
    judge(make(library))


class Messages(nn.Module):
    """Three layers over the edges of a graph."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, x: Tensor, edges: Tensor) -> Tensor:
        first, second, last = self.layers
        return last(second(first(x, edges).relu(), edges).relu(), edges)


EDGES = torch.tensor([[0, 1, 2, 3, 4, 5, 0, 2], [1, 2, 3, 4, 5, 0, 3, 5]])


@pytest.mark.filterwarnings("ignore")
def test_graph_convolutions() -> None:
    from torch_geometric.nn import GCNConv

    torch.manual_seed(0)
    judge((Messages(GCNConv(5, 8), GCNConv(8, 7), GCNConv(7, 2)), (torch.randn(6, 5), EDGES), [8, 7]))


@pytest.mark.filterwarnings("ignore")
def test_graph_isomorphism_network() -> None:
    from torch_geometric.nn import GINConv

    def layer(inputs: int, inner: int, outputs: int) -> nn.Module:
        return GINConv(nn.Sequential(nn.Linear(inputs, inner), nn.ReLU(), nn.Linear(inner, outputs)), train_eps=True)

    torch.manual_seed(0)
    judge((Messages(layer(5, 12, 8), layer(8, 11, 7), layer(7, 10, 2)), (torch.randn(6, 5), EDGES), [12, 8, 11, 7, 10]))


@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
def test_transformer() -> None:
    """Its streams are inputs and outputs; the decoder attends twice."""
    torch.manual_seed(0)
    heads = BLOCK[:3]
    judge(
        (
            nn.Transformer(WIDTH, HEADS, 1, 1, INNER, batch_first=True),
            (torch.randn(2, 5, WIDTH), torch.randn(2, 4, WIDTH)),
            [*heads, INNER, *heads, *heads, INNER],
        )
    )
