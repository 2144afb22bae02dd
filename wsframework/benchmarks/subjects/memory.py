"""How much memory this process has taken."""

from __future__ import annotations

from pathlib import Path

STATUS = Path("/proc/self/status")
"""Where Linux tells it."""


def resident_peak() -> int:
    """The most bytes that were resident at once, all that is loaded included."""
    line = next(line for line in STATUS.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024
