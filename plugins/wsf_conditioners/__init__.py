"""Built-in parts: conditioners."""
