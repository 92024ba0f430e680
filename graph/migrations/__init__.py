"""The versions of the run database's schema, oldest first; each goes forward only."""
