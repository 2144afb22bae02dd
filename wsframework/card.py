"""The card of a prior: the README.md in its folder, as the Hugging Face hub takes it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from wsframework.parts.values import shown
from wsframework.prior_config import Origin, PriorConfig
from wsframework.tasks import IN_ROWS, TaskShape

FRONT = """---
library_name: wsframework
tags:
{tags}
---
"""

BODY = """
# A prior over the weights of `{network}` networks

From a task to initial weights: for {kind} with inputs of shape {inputs} and answers of shape {outputs}.{trained}

| part | | options |
|---|---|---|
{parts}

{parameters:,} parameters; the denoiser predicts `{predict}`; sampled in {steps}. `config.json` says the same, \
`model.safetensors` holds the tensors.
"""

FROM_CSV = """
## Weights for a task of your own

A CSV with {columns}:

```bash
wsf sample . --data task.csv{label} -o init.safetensors
```

```python
import wsframework as wsf

prior = wsf.Prior.load(".")  # this folder
weights = prior.sample(wsf.read_task("task.csv", prior{labels}), best_of=8)
network = prior.architecture.network(prior.shape)
network.load_state_dict(weights[0], strict=True)
```

What it was trained on decides what it can answer: `prior.outside(task)` says where a task lies outside of that.
"""

FROM_PYTHON = """
## Weights for a task

`wsframework.Prior.load(".").sample(task)`. These tasks hold what a CSV can't ({reason}): make yours in Python.
"""


def card(config: PriorConfig, parameters: int) -> str:
    """Front matter in YAML, then what the prior is and how it is used, in Markdown."""
    design, origin, shape = config.design, config.origin, config.shape
    tags = ["weight-space", "diffusion", *filter(None, [origin.objective])]
    body = BODY.format(
        network=design.network.use,
        kind=f"{origin.objective} tasks" if origin.objective else "tasks with an objective of their own",
        inputs=shape.inputs,
        outputs=shape.outputs,
        trained=_trained(origin),
        parts="\n".join(_row(role, part.use, part.options) for role, part in design.parts.items()),
        parameters=parameters,
        predict=design.predict,
        steps=f"{design.steps} steps" if design.steps else "the scheduler's own steps",
    )
    return FRONT.format(tags="\n".join(f"- {tag}" for tag in tags)) + body + _use(origin.objective, shape)


def _trained(origin: Origin) -> str:
    if not origin.networks:
        return ""
    return f" Trained with wsframework on {origin.networks:,} networks for {origin.tasks:,} tasks."


def _row(role: str, name: str, options: Mapping[str, Any]) -> str:
    values = ", ".join(f"`{key} = {shown(value)}`" for key, value in options.items())
    return f"| {role} | `{name}` | {values} |"


def _use(objective: str, shape: TaskShape) -> str:
    if objective not in IN_ROWS:
        return FROM_PYTHON.format(reason="labels at every position" if objective else "an objective of their own")
    if shape.code:
        return FROM_PYTHON.format(reason="a code")
    inputs, outputs = math.prod(shape.inputs), math.prod(shape.outputs)
    names = ["label"] if objective == "classification" or outputs == 1 else [f"y{i}" for i in range(outputs)]
    several = len(names) > 1
    return FROM_CSV.format(
        columns=f"{inputs} columns of numbers, and {_answers(names)} "
        + (f"that holds {outputs} classes" if objective == "classification" else "of numbers"),
        label="".join(f" --label {name}" for name in names if several),
        labels=f", {names!r}" if several else "",
    )


def _answers(names: list[str]) -> str:
    return f"a column `{names[0]}`" if len(names) == 1 else f"the columns {', '.join(f'`{name}`' for name in names)}"
