"""One profile for all generated tests: no deadlines, and in continuous integration the same examples each time.

One thread for each worker, and for the processes that tests start: workers with several threads each slow one
another down.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

os.environ.setdefault("OMP_NUM_THREADS", "1")

settings.register_profile("here", deadline=None, max_examples=50)
settings.register_profile("ci", deadline=None, max_examples=50, derandomize=True)
settings.register_profile("thorough", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "here"))


@pytest.fixture(scope="module")
def undrawn() -> Iterator[None]:
    """The figures of the module's runs are empty."""
    from undrawn import empty

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("wsframework.pipeline.report.drawing.saved", empty)
        yield
