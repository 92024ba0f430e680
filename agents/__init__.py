"""Floor 1: whatever speaks to a model or turns text into vectors."""
