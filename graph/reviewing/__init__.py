"""People's decisions on pairs: what may be said, how it is kept, and what becomes of it."""
