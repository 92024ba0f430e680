"""The face: commands and screens that show what the core tells; no business logic."""
