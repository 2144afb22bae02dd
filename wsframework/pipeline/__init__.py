"""The stages of a run: each takes values and returns a frozen dataclass; only `run` knows them all."""
