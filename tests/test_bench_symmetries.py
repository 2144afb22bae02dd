"""`wsf bench symmetries` on few networks: the counts, rivals that are missing, and a rival that was made for this."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from wsframework.benchmarks import benchmark
from wsframework.benchmarks.rivals.judging import change, randomise
from wsframework.benchmarks.rivals.running import RIVALS, verdicts
from wsframework.benchmarks.subjects.small_networks import NETWORKS
from wsframework.benchmarks.symmetries import run
from wsframework.errors import RequestError

pytestmark = pytest.mark.slow

REBASIN, SINKHORN = RIVALS

SINKHORN_PACKAGE = """
import torch

class RebasinNet(torch.nn.Module):
    def __init__(self, model, input_shape):
        super().__init__()
        if isinstance(model[0], torch.nn.Conv2d):
            raise KeyError("no convolutions")
        self.model = model
        self.p = [torch.eye(8)]

    def random_init(self):
        print("a rival may print")
        self.order = torch.arange(8).flip(0)

    def forward(self):
        state = {n: v.clone() for n, v in self.model.state_dict().items()}
        for name in CHANGED:
            state[name] = state[name][self.order]
        state["2.weight"] = state["2.weight"][:, self.order]
        self.model.load_state_dict(state)
        return self.model
"""


@pytest.fixture
def rivals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of rivals, without any."""
    monkeypatch.setenv("WSF_RIVALS", str(tmp_path))
    return tmp_path


def made(rivals: Path, changed: tuple[str, ...]) -> None:
    """A package that permutes the first hidden layer of a perceptron, in some of the parameters that it occurs in."""
    package = rivals / SINKHORN.name / "rebasin"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(SINKHORN_PACKAGE.replace("CHANGED", repr(changed)), encoding="utf-8")


def test_all_is_found_and_missing_rivals_are_named_with_their_installation(rivals: Path) -> None:
    table = run(networks=["MLP"])
    ours, rebasin, sinkhorn = table.rows
    assert torch.__version__ in table.title
    assert ours.name == "MLP"
    assert ours.value == pytest.approx(7.4628, abs=1e-4)  # 8! 6!
    assert ours.ratio == pytest.approx(1)
    assert ours.note.startswith("sound")
    for row, wanted in ((rebasin, "rebasin==0.0.47"), (sinkhorn, "sinkhorn-rebasin==0.0.2")):
        assert row.value is None
        assert row.ratio is None
        assert row.note.startswith("not installed: pip install --no-deps --target $WSF_RIVALS/")
        assert wanted in row.note


@pytest.mark.parametrize("name", NETWORKS)
def test_the_group_counted_by_hand_leaves_a_function_that_can_be_run(name: str) -> None:
    network = NETWORKS[name]()
    module = randomise(network.module, torch.Generator().manual_seed(0))
    assert min(network.group) > 1
    assert change(module, module.state_dict(), network.inputs) == 0
    other = {n: v + 1 if v.is_floating_point() else v for n, v in module.state_dict().items()}
    assert change(module, other, network.inputs) > 0.01


def test_a_sound_rival_is_counted_and_one_that_fails_says_where(rivals: Path) -> None:
    made(rivals, changed=("0.weight", "0.bias"))
    row, failed = (r for r in run(networks=["MLP", "conv, batch norm, flatten"]).rows if SINKHORN.name in r.name)
    assert row.value == pytest.approx(4.6055, abs=1e-4)  # 8!
    assert row.ratio == pytest.approx(4.6055 / 7.4628, abs=1e-4)
    assert row.note.startswith("sound")
    assert failed.value == 0
    assert failed.note == "fails: KeyError in __init__.py, __init__"


def test_a_rival_that_changes_the_function_has_found_no_group(rivals: Path) -> None:
    made(rivals, changed=("0.weight",))  # and leaves the bias
    row = run(networks=["MLP"]).rows[2]
    assert row.value == 0
    assert row.note.startswith("changes the function by")
    assert row.note.endswith("by permutations of [8]")


def test_a_rival_whose_process_ends_early_is_an_error(rivals: Path) -> None:
    package = rivals / REBASIN.name
    package.mkdir()
    (package / "rebasin.py").write_text("import os\nos._exit(3)\n", encoding="utf-8")
    with pytest.raises(RequestError, match="the process of rebasin ended early"):
        verdicts(REBASIN, ["MLP"])


def test_it_is_found_by_name_and_what_helps_it_is_none() -> None:
    assert benchmark("symmetries") is run
    with pytest.raises(RequestError, match="no benchmark 'rivals'"):
        benchmark("rivals")
