"""Screens, each a typed question beside its own sheet; they decide nothing."""
