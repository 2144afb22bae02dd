"""Built-in parts: networks."""
