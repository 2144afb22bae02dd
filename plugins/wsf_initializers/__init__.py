"""Built-in parts: initializers."""
