"""Measurements of what Gravity claims; each prints what it measured and against what."""
