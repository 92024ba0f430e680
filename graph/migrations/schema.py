"""Brings a run database to the schema of this gravity; new files get it whole, at once.

An older file goes through the versions it lacks in one transaction of SQLite's log: a process that
is stopped leaves the file as it was, so no copy is made. Alembic is imported only for that.
"""

from pathlib import Path

import sqlalchemy as sa

from agents.errors import StorageError
from graph.tables import Table

FOLDER = Path(__file__).parent
STAMP = sa.Table(
    "alembic_version", sa.MetaData(), sa.Column("version_num", sa.String(32), primary_key=True)
)
"""As Alembic makes it, in `alembic.ddl.impl.DefaultImpl.version_table_impl`."""


def bring_up_to_date(engine: sa.Engine, path: Path) -> None:
    """Make or upgrade the tables of a file, where it lacks any; else read its version alone.

    Where several processes do so at once, the first one works and the others find it done. What
    SQLite cannot alter is remade, and foreign keys are not watched meanwhile, as in
    https://sqlite.org/lang_altertable.html#otheralter.

    Raises:
        StorageError: a newer gravity has written the file.
    """
    versions = sorted(file.name[:4] for file in (FOLDER / "versions").glob("[0-9]*.py"))
    with engine.connect() as connection:
        if _version(connection, versions, path) == versions[-1]:
            return
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        if not sa.inspect(connection).get_table_names():
            Table.metadata.create_all(connection)
            STAMP.create(connection)
            connection.execute(STAMP.insert().values(version_num=versions[-1]))
        elif _version(connection, versions, path) != versions[-1]:
            _upgrade(connection)
        connection.commit()
        connection.exec_driver_sql("PRAGMA foreign_keys=ON")


def _version(connection: sa.Connection, versions: list[str], path: Path) -> str | None:
    """The version of the file; nothing where it is new or was made before there were any."""
    if not sa.inspect(connection).has_table(STAMP.name):
        return None
    version = connection.scalar(sa.select(STAMP.c.version_num))
    if version not in (None, *versions):
        raise StorageError(
            f"{path} was written by a newer gravity "
            f"(schema {version}; this one knows up to {versions[-1]}).",
            "Install the newer gravity, or name another folder with --home.",
        )
    return version


def _upgrade(connection: sa.Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    command.upgrade(config, "head")
