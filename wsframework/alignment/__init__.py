"""Alignment: networks in the place of one another, and what follows from that."""
