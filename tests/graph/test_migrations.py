"""Older run databases are upgraded whole or not at all; newer ones are refused."""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from agents.errors import LockedError, StorageError
from graph.database import Database
from graph.migrations import schema
from graph.store import Store
from graph.tables import Table

ROOT = Path(__file__).resolve().parents[2]
OLD = Path(__file__).with_name("before_migrations.sql")
NEWEST = max(file.name[:4] for file in (schema.FOLDER / "versions").glob("[0-9]*.py"))
NEXT = f"{int(NEWEST) + 1:04}"

MOVED = {"spans": {"call"}}
"""Columns of the old file whose contents a version has put elsewhere."""

Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A home as it was before there were versions, with rows in every table."""
    path = tmp_path / "old" / "gravity.db"
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(OLD.read_text("utf-8"))
    return path


@pytest.fixture
def add_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Puts a version after the newest, beside a copy of the others."""
    folder = tmp_path / "migrations"
    shutil.copytree(schema.FOLDER, folder)
    monkeypatch.setattr(schema, "FOLDER", folder)

    def add(*steps: str) -> Path:
        (folder / "versions" / f"{NEXT}_next.py").write_text(
            "import time\nimport sqlalchemy as sa\nfrom alembic import op\n"
            f"revision = {NEXT!r}\ndown_revision = {NEWEST!r}\n"
            "def upgrade():\n" + "".join(f"    {step}\n" for step in steps)
        )
        return folder

    return add


REMAKE_RUNS = (
    "with op.batch_alter_table('runs', recreate='always') as runs:",
    "    runs.add_column(sa.Column('note', sa.Text(), nullable=False, server_default='none'))",
)


def rows(path: Path) -> Rows:
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return {
            name: [dict(row) for row in connection.execute(f"SELECT * FROM {name} ORDER BY rowid")]
            for (name,) in names.fetchall()
        }


def version(path: Path) -> str:
    [stamp] = rows(path)["alembic_version"]
    return stamp["version_num"]


def set_version(path: Path, number: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", [number])


def shape(path: Path) -> dict[str, Any]:
    """Columns, keys and indexes of every table; not the defaults, which SQLite cannot drop."""
    seen = sa.inspect(sa.create_engine(f"sqlite:///{path}"))
    return {
        table: (
            sorted((c["name"], str(c["type"]), c["nullable"]) for c in seen.get_columns(table)),
            seen.get_pk_constraint(table)["constrained_columns"],
            sorted(
                (k["constrained_columns"], k["referred_table"], k["referred_columns"])
                for k in seen.get_foreign_keys(table)
            ),
            sorted(k["column_names"] for k in seen.get_unique_constraints(table)),
            sorted((i["name"], i["column_names"], i["unique"]) for i in seen.get_indexes(table)),
        )
        for table in seen.get_table_names()
    }


def opened(path: Path) -> Path:
    Database(path).close()
    return path


# --- the versions and the tables ------------------------------------------------------------------


def test_the_versions_end_in_the_tables_of_today(old: Path, tmp_path: Path) -> None:
    with sa.create_engine(f"sqlite:///{opened(old)}").connect() as connection:
        missing = compare_metadata(MigrationContext.configure(connection), Table.metadata)
    assert missing == [], "write a version: alembic revision --autogenerate -m 'Add …'"
    assert shape(old) == shape(opened(tmp_path / "new.db"))


def test_the_versions_are_one_line_that_goes_forward(old: Path) -> None:
    script = ScriptDirectory(str(schema.FOLDER))
    numbers = [each.revision for each in script.walk_revisions()]
    assert numbers == [f"{n:04}" for n in range(int(NEWEST), 0, -1)]
    before = rows(opened(old))
    with sa.create_engine(f"sqlite:///{old}").begin() as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(schema.FOLDER))
        with pytest.raises(AttributeError, match="downgrade"):
            command.downgrade(config, "base")
    assert rows(old) == before


def test_the_documented_command_writes_the_next_version(tmp_path: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(schema.FOLDER, tmp_path / "graph" / "migrations")
    done = subprocess.run(
        [sys.executable, "-m", "alembic", "revision", "--autogenerate", "-m", "Add a table"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    written = (tmp_path / "graph/migrations/versions" / f"{NEXT}_add_a_table.py").read_text("utf-8")
    assert written.startswith('"""Add a table."""\n')
    assert f'revision = "{NEXT}"\ndown_revision = "{NEWEST}"\n' in written


# --- opening --------------------------------------------------------------------------------------


def test_an_old_file_keeps_every_row(old: Path) -> None:
    before, after = rows(old), rows(opened(old))
    assert all(before.values()), "every table of the old file has rows"
    for table, kept in before.items():
        same = kept[0].keys() - MOVED.get(table, set())
        assert [{k: row[k] for k in same} for row in after[table]] == [
            {k: row[k] for k in same} for row in kept
        ]
    assert version(old) == NEWEST


def test_the_store_finds_in_an_old_file_what_was_there(old: Path) -> None:
    store = Store(old)
    assert [pair.id for pair in store.pairs("run-1")] == ["ana-1", "ana-2", "bob-1"]
    assert str(store.accounting("run-1")).startswith("requested 4 = accepted 2 + rejected 0")
    spent = store.spend("run-1")
    assert (spent.calls, spent.cost_usd) == (1, 0.001)
    traced = str(store.spans("run-1"))
    assert "Write a scene." in traced
    assert "A quiet scene." in traced
    store.close()


def test_an_older_file_that_lacks_tables_gets_them(old: Path) -> None:
    """Gravity made what was missing whenever it opened a file."""
    with closing(sqlite3.connect(old)) as connection:
        connection.executescript("DROP TABLE answers; DROP INDEX pairs_by_run")
    store = Store(old)
    assert store.sheets("ana") == []
    store.close()


def test_new_and_current_files_are_opened_quickly_and_without_alembic(tmp_path: Path) -> None:
    def fastest(paths: list[Path]) -> float:
        times: list[float] = []
        for path in paths:
            begun = time.perf_counter()
            opened(path)
            times.append(time.perf_counter() - begun)
        return min(times)

    files = [tmp_path / f"{n}.db" for n in range(7)]
    assert fastest(files) < 0.1
    assert fastest(files) < 0.1
    assert {version(file) for file in files} == {NEWEST}
    code = (
        "import sys; from pathlib import Path; from graph.database import Database\n"
        "for _ in 'new', 'current': Database(Path(sys.argv[1])).close()\n"
        "print('alembic' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "new.db")],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "False", done.stderr


def test_a_remade_table_keeps_what_refers_to_it(
    old: Path, add_version: Callable[..., Path]
) -> None:
    before = rows(old)
    add_version(*REMAKE_RUNS)
    database = Database(old)
    after = rows(old)
    assert after["runs"] == [row | {"note": "none"} for row in before["runs"]]
    assert (len(after["readers"]), len(after["pairs"])) == (2, 3)
    with database.writing() as session:
        assert session.execute(sa.text("PRAGMA foreign_key_check")).all() == []
        assert session.scalar(sa.text("PRAGMA secure_delete")) == 1
    with pytest.raises(StorageError, match="FOREIGN KEY"), database.writing() as session:
        session.execute(sa.text("DELETE FROM runs"))
    database.close()


def test_an_upgrade_that_fails_leaves_the_file_as_it_was(
    old: Path, add_version: Callable[..., Path]
) -> None:
    before = rows(old)
    add_version(*REMAKE_RUNS, "op.execute('INSERT INTO nowhere VALUES (1)')")
    with pytest.raises(StorageError, match="no such table: nowhere"):
        Database(old)
    assert rows(old) == before
    add_version(*REMAKE_RUNS)
    assert version(opened(old)) == NEXT


def test_processes_that_open_a_file_at_once_upgrade_it_once(
    old: Path, tmp_path: Path, add_version: Callable[..., Path]
) -> None:
    folder = add_version("time.sleep(0.5)", *REMAKE_RUNS)
    code = (
        "import sys; from pathlib import Path\n"
        "from graph.database import Database; from graph.migrations import schema\n"
        "schema.FOLDER = Path(sys.argv[1])\n"
        "print('ready', flush=True)\n"
        "for line in sys.stdin: Database(Path(line.strip())).close(); print('done', flush=True)"
    )
    openers = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(folder)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    assert [said(each) for each in openers] == ["ready", "ready"]
    for path in [old, *(tmp_path / f"{n}.db" for n in range(30))]:
        for each in openers:
            print(path, file=each.stdin, flush=True)
        assert [said(each) for each in openers] == ["done", "done"]
        assert version(path) == NEXT
    for each in openers:
        each.communicate()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


# --- refusals -------------------------------------------------------------------------------------


def test_a_newer_file_is_refused_in_one_line_and_left_alone(tmp_path: Path) -> None:
    path = opened(tmp_path / "gravity.db")
    set_version(path, "9007")
    before = rows(path)
    told = (
        f"{path} was written by a newer gravity (schema 9007; this one knows up to {NEWEST}). "
        "Install the newer gravity, or name another folder with --home."
    )
    with pytest.raises(StorageError, match=f"^{re.escape(told)}$"):
        Database(path)
    assert rows(path) == before


def test_a_broken_file_is_told_in_one_line(old: Path) -> None:
    whole = old.read_bytes()
    old.write_bytes(whole[: len(whole) // 4])
    with pytest.raises(StorageError, match=r"gravity\.db cannot be read.*malformed"):
        Database(old)
    assert old.read_bytes() == whole[: len(whole) // 4]


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_a_file_that_is_being_written_is_waited_for(
    old: Path, journal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = sqlite3.connect(old, isolation_level=None, check_same_thread=False)
    other.execute(f"PRAGMA journal_mode={journal}")
    other.execute("BEGIN IMMEDIATE")
    with monkeypatch.context() as patch, pytest.raises(LockedError, match="by another process"):
        patch.setattr("graph.database.BUSY_TIMEOUT_S", 0.1)
        Database(old)
    ends = threading.Timer(0.2, other.close)
    ends.start()
    assert version(opened(old)) == NEWEST
    ends.join()
