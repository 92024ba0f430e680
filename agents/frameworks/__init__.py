"""The psychological and cultural tables, the seed statements and the shipped candidate pool."""
