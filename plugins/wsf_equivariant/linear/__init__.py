"""The equivariant linear maps of any weight space, as a layer."""
