"""`EquivariantLinear`: the linear map between states of a weight space that commutes with its permutations."""

from __future__ import annotations

from torch import Tensor, nn

from wsf_equivariant.linear.activations import ACTIVATIONS
from wsf_equivariant.linear.compiling import program
from wsf_equivariant.linear.domains import domains
from wsf_equivariant.linear.matrices import matrices
from wsf_equivariant.linear.mix import Mix
from wsf_equivariant.linear.program import Program
from wsframework.precision import own_steps
from wsframework.spaces import WeightSpace


class EquivariantLinear(nn.Module):
    """The equivariant linear maps of a weight space, all of them, with matrices shared by role.

    For each set of dims that parameters share, all that is pooled to it is mixed by one matrix, and added to all
    that has these dims. Its blocks are named by the roles of what is read and written, so that depths and widths
    never seen find theirs. Positions on fixed dims are treated alike: embeddings tell them apart.

    Where each role is one parameter's, the map spans what is equivariant, as that of Zhou et al. 2024,
    arXiv:2402.05232 does; that of Zhou et al. 2023, arXiv:2302.14040 is the case of perceptrons.

    Arguments:
        space: names the roles.
        channels_in, channels_out: of each coordinate.
        context_size: numbers of the context, which is read where everything is pooled.
        activation: applied to what comes out: relu, silu or None.
    """

    def __init__(
        self,
        space: WeightSpace,
        channels_in: int,
        channels_out: int,
        context_size: int = 0,
        activation: str | None = None,
    ) -> None:
        super().__init__()
        self.context_size = context_size
        self.activation = None if activation is None else ACTIVATIONS[activation]
        self.places = matrices(domains(space), channels_in, channels_out, context_size + 1)
        self.matrices = nn.Parameter(self.places.drawn())
        self._programs: dict[WeightSpace, Program] = {}

    def forward(self, state: Tensor, space: WeightSpace, context: Tensor | None = None) -> Tensor:
        """state (places, batch, channels_in) in the order of `layout`, context (batch, context_size), to its like.

        Raises:
            SpaceError: if ``space`` has a role, or a way in which parameters share dims, that the layer was not
                built with.
        """
        ran = self.program(space)
        given = state.new_ones(state.shape[1], self.context_size + 1)
        if context is not None:
            given[:, :-1] = context
        chosen = self.matrices if ran.select is None else self.matrices.index_select(0, ran.select.to(state.device))
        with own_steps(state, given, chosen) as (state, given, chosen):
            out: Tensor = Mix.apply(state, given, ran, chosen, self.activation)  # type: ignore[no-untyped-call]
        return out

    def program(self, space: WeightSpace) -> Program:
        """What the layer does to ``space``."""
        if space not in self._programs:
            self._programs[space] = program(space, self.places)
        return self._programs[space]
