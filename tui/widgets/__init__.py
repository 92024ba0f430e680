"""Widgets that the screens share; none knows the app or the store."""
