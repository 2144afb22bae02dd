"""Built-in parts: equivariant."""
