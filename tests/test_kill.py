"""A run that is killed at any moment and started again ends with the numbers of one that nobody disturbed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("scenario", ["at_random_moments", pytest.param("at_checkpoints", marks=pytest.mark.slow)])
def test_killed(tmp_path: Path, scenario: str) -> None:
    script = Path(__file__).with_name("killed_run.py")
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    found = subprocess.run(
        [sys.executable, script, scenario, tmp_path], capture_output=True, text=True, timeout=300, env=environment
    )
    assert found.returncode == 0, found.stderr
