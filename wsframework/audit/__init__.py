"""The audit of memorisation: whether samples are copies of a zoo's networks, averages of them, or neither."""

from wsframework.audit.auditing import Audit, Group, audit
from wsframework.audit.nearest import Nearest, Targets
from wsframework.audit.overlap import largest_overlap
from wsframework.audit.verdict import Verdict

__all__ = ["Audit", "Group", "Nearest", "Targets", "Verdict", "audit", "largest_overlap"]
