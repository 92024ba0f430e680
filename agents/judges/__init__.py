"""Judges of preference pairs: each says how probable it is that a pair is right."""
