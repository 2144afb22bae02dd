"""Measures of networks beside their loss: what they say of their own certainty, of one another, and of their data."""
