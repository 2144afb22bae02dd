"""How the report writes numbers: three significant digits, small ones in scientific notation."""

from __future__ import annotations

import math


def number(value: float | None) -> str:
    """Three significant digits; below 1e-4 and from 1e6 on in scientific notation; a dash for None.

    >>> number(0.00123456), number(0.0000123456), number(48.25), number(12345.6), number(None)
    ('0.00123', '1.23e-05', '48.2', '12,346', '–')
    """
    if value is None or not math.isfinite(value):
        return "–"
    size = abs(value)
    if size and not 1e-4 <= size < 1e6:
        return f"{value:.2e}"
    if size >= 1000 or isinstance(value, int):
        return f"{value:,.0f}"
    decimals = 3 if size == 0 else max(0, 2 - math.floor(math.log10(size)))
    return f"{value:.{decimals}f}" if size else "0"


def measure(value: float | None, metric: str) -> str:
    """A value of the metric: accuracy as a percentage, finer near all, and anything else as a number.

    >>> measure(0.9731, "accuracy"), measure(0.9993, "accuracy"), measure(0.9731, "mse")
    ('97.3 %', '99.93 %', '0.973')
    """
    if value is None or metric != "accuracy":
        return number(value)
    return f"{100 * value:.2f} %" if value >= 0.99 else f"{100 * value:.1f} %"


def points(value: float | None) -> str:
    """A difference of accuracies in percentage points, with its sign.

    >>> points(0.2891), points(-0.0004)
    ('+28.9', '-0.04')
    """
    if value is None:
        return number(value)
    return f"{100 * value:+.1f}" if abs(value) >= 0.01 else f"{100 * value:+.2f}"


def duration(seconds: float) -> str:
    """Seconds as people say them.

    >>> duration(0.031), duration(41.27), duration(151), duration(7325)
    ('0.03 s', '41.3 s', '2 min 31 s', '2 h 2 min')
    """
    if seconds < 60:
        return f"{seconds:.2f} s" if seconds < 1 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def between(low: float | None, high: float | None) -> str:
    """An interval, or an empty string where there is none.

    >>> between(0.5, 1.25), between(None, None)
    ('0.500 to 1.25', '')
    """
    return "" if low is None and high is None else f"{number(low)} to {number(high)}"
