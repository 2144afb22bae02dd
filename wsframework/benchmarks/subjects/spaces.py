"""Spaces of perceptrons, by the sizes of their layers."""

from __future__ import annotations

from wsframework.spaces import WeightSpace


def mlp_space(sizes: tuple[int, ...]) -> WeightSpace:
    """The space of the perceptron with layers of these ``sizes``, inputs first; hidden layers share roles."""
    names = ["in", *(f"hidden{k}" for k in range(1, len(sizes) - 1)), "out"]
    ends = {"in", "out"}
    lines = [f"{'fixed' if n in ends else 'free'} {n}={size}" for n, size in zip(names, sizes, strict=True)]
    for k in range(len(sizes) - 1):
        role = "first" if k == 0 else "last" if k == len(sizes) - 2 else "hidden"
        lines += [f"{k}.weight {names[k + 1]} {names[k]} as {role}.weight", f"{k}.bias {names[k + 1]} as {role}.bias"]
    return WeightSpace.parse("\n".join(lines))
