"""What Alembic runs to upgrade a run database, or to compare the versions with the tables.

Without a connection, as on Alembic's own command line, it makes an empty database in memory and
brings it to the newest version: a new version is written from what the tables have beyond that.
"""

from alembic import context
from alembic.migration import MigrationContext
from alembic.operations import MigrationScript, Operations
from sqlalchemy import Connection, create_engine

from graph.tables import Table


def _at_newest(connection: Connection) -> Connection:
    migration = MigrationContext.configure(connection)
    with Operations.context(migration):
        for version in reversed(list(context.script.walk_revisions())):
            version.module.upgrade()
    migration.stamp(context.script, "head")
    return connection


def _number(_context: object, _revision: object, directives: list[MigrationScript]) -> None:
    """Versions are counted: 0001, 0002 and so on."""
    newest = context.script.get_current_head() or "0"
    for script in directives:
        script.rev_id = f"{int(newest) + 1:04}"


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Table.metadata,
        render_as_batch=True,
        process_revision_directives=_number,
    )
    with context.begin_transaction():
        context.run_migrations()


if "connection" in context.config.attributes:
    _run(context.config.attributes["connection"])
else:
    with create_engine("sqlite://").begin() as empty:
        _run(_at_newest(empty))
