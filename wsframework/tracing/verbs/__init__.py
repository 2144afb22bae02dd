"""The verbs that operators are made of: labels are joined, reduced, moved, and fixed to their places.

Each derives the labels of its result, and tells the `Facts` what the group must respect for them to hold.
"""

from wsframework.tracing.verbs.fixing import fix, scaled
from wsframework.tracing.verbs.joining import Mode, join
from wsframework.tracing.verbs.moving import move
from wsframework.tracing.verbs.reducing import reduce

__all__ = ["Mode", "fix", "join", "move", "reduce", "scaled"]
