"""The card of a zoo: the README.md of its exported folder, as the Hugging Face hub takes it."""

from __future__ import annotations

from wsframework.zoos.folder import ZooFolder

TEXT = """---
library_name: wsframework
tags:
- weight-space
- model-zoo
---

# A zoo of {networks:,} networks

Their weights are data: {size:,} numbers each, for {tasks:,} tasks{code}.

```text
{space}
```

| file | what it holds |
|---|---|
| `shard-*.safetensors` | `x` (networks, {size}): weights in the order of the space above; `loss`, `task_index`{way} |
| `config.json` | the space, the recipe, the keys and dtypes of the state dicts |
| `index.json` | the shards, with their checksums |
| `tasks.json` | the tasks, by name and code, in the order that `task_index` counts in |

```python
import wsframework as wsf

zoo = wsf.load_zoo(".")  # this folder
state = zoo.weights[0]
```

Content: `{content}` (`wsf zoo show .` prints it again).
"""


def card(zoo: ZooFolder) -> str:
    """Front matter in YAML, then what the zoo is and how it is read, in Markdown."""
    code = zoo.tasks.shape.code
    return TEXT.format(
        networks=sum(shard.count for shard in zoo.shards.values()),
        size=zoo.space.size,
        tasks=len(zoo.tasks.entries),
        code=f", each described by {code} numbers" if code else "",
        space=zoo.space,
        way=_way(zoo),
        content=zoo.content,
    )


def _way(zoo: ZooFolder) -> str:
    """What shards hold of the networks along their training, as an end of a list."""
    if not zoo.epochs:
        return ""
    return f"; `x@E` and `loss@E`, the same after E epochs of training ({', '.join(map(str, zoo.epochs))})"
