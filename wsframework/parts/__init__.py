"""Parts: interfaces, the hook, the registry."""
