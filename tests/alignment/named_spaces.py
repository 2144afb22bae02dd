"""Spaces of networks that perceptrons say nothing about."""

from __future__ import annotations

from hypothesis import strategies as st

from wsframework.spaces import WeightSpace

ATTENTION = WeightSpace.parse(
    """
    free model=6 heads=3 value[heads]:sign=3 hidden=5
    fixed vocabulary=7 key[heads]=2
    embedding   vocabulary model
    in_proj     (heads key + heads key + heads value^1) model
    out_proj    model (heads value^-1)
    up          hidden model
    down        model hidden
    """
)
GROUPED = WeightSpace.parse(
    """
    free group=3 into[group]=3 out[group]=4
    fixed image=3 k=2 classes=5
    first    (group into) image k
    grouped  (group out) into k
    bias     (group out)
    last     classes (group out)
    """
)
RECURRENT = WeightSpace.parse(
    """
    free hidden=8
    fixed in=3 out=2
    weight_ih  (hidden + hidden + hidden) in
    weight_hh  (hidden + hidden + hidden) hidden
    out        out hidden
    """
)
DEEP = WeightSpace.parse(
    """
    free a:sign=2 b[a]=3
    fixed c[b]=2
    free d[c]:sign=2
    fixed f=3
    w (a^1 b c d^1) f
    v f (d^1 c b a)
    u a^1 f
    """
)
NAMED = st.sampled_from([ATTENTION, GROUPED, RECURRENT, DEEP])
