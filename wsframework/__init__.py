"""wsframework."""
