"""Built-in parts: tasks."""
