"""Built-in parts: schedulers."""
