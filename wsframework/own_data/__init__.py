"""A task of the user's own, from a CSV file: every mistake of the file told at once, nothing skipped."""

from wsframework.own_data.task import read_task

__all__ = ["read_task"]
