"""Configs: sections as dataclasses, and the reading of TOML into them."""
