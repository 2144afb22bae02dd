"""Zoos as folders: read, shown, imported, exported, merged, whoever trained the networks."""

from wsframework.zoos.exporting import export_states, export_zoo
from wsframework.zoos.folder import ZooFolder
from wsframework.zoos.importing import import_zoo
from wsframework.zoos.loading import load_zoo
from wsframework.zoos.merging import merge_zoos
from wsframework.zoos.summary import summary

__all__ = ["ZooFolder", "export_states", "export_zoo", "import_zoo", "load_zoo", "merge_zoos", "summary"]
