"""Scaled dot-product attention."""

from __future__ import annotations

from wsframework.tracing.labels import Labels, fixed
from wsframework.tracing.rules.contraction import contract
from wsframework.tracing.rules.movement import rearranged
from wsframework.tracing.rules.normalisation import standardised
from wsframework.tracing.rules.registry import Call, Operand, rule
from wsframework.tracing.verbs import fix, join, scaled


@rule("scaled_dot_product_attention")
def attention(call: Call) -> Labels:
    """``softmax(q k^T + mask) v``, over the last two axes; all others are a batch, heads among them."""
    q, k, v = (operand.labels for operand in call.args[:3])
    mask, causal = call.argument(3, "attn_mask"), call.argument(5, "is_causal", False)
    if call.argument(7, "enable_gqa", False):
        k, v = (_repeated(call, x, q.shape[-3] // x.shape[-3]) for x in (k, v))
    if causal:
        q, k, v = (fix(call.facts, x, [-2]) for x in (q, k, v))
    scores = scaled(call.facts, contract(call.facts, q, k.transpose(-2, -1)), None)
    if isinstance(mask, Operand):
        scores = join(call.facts, scores, scaled(call.facts, mask.labels, None), mode="neither")
    labels = contract(call.facts, standardised(call.facts, scores, [-1]), v)
    if causal and labels.shape[-2] > 1:
        labels = join(call.facts, labels, fixed(labels.shape, [len(labels.shape) - 2]), mode="multiply")
    return labels


def _repeated(call: Call, labels: Labels, times: int) -> Labels:
    """Heads of keys and values, as often as there are heads of queries for each."""
    repeated = rearranged(call, labels, lambda positions: positions.repeat_interleave(times, -3))
    assert isinstance(repeated, Labels)
    return repeated
