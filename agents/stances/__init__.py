"""What a reader's words say of seed statements: one contract, a backend for each kind of model."""
