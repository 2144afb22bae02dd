"""Built-in parts: flat."""
