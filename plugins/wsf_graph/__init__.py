"""Built-in parts: graph."""
