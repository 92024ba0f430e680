"""One file for each version of the schema; Alembic loads them, nothing imports them."""
