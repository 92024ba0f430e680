"""The candidate pool: scenarios with their vectors. The only file that knows ChromaDB."""

import logging
import os
import re
import sqlite3
import struct
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Any, TypeVar, get_args

import chromadb
import numpy as np
from chromadb.api import ClientAPI
from chromadb.api.models.Collection import Collection as ChromaCollection
from chromadb.config import Settings
from chromadb.errors import ChromaError
from filelock import FileLock, Timeout

from agents.cells import Cell, Place
from agents.drawing import Scenes, theme
from agents.embeddings import Embedder, Vectors
from agents.errors import LockedError, StorageError
from agents.frameworks.catalogue import dimension
from agents.records import Domain, Scenario

logging.getLogger("chromadb").setLevel(logging.ERROR)

BATCH = 256
"""Scenarios that are embedded, looked up and written at once."""
LOOKED_AT = 12
"""Nearest neighbours of a candidate in its dimension that may speak against it."""
LOOKED_AT_ELSEWHERE = 2
"""Nearest neighbours in the whole pool that may."""
EF_SEARCH = 200
"""Breadth of the approximate search: recall@8 of 0.98 became 0.99 at 100,000 vectors."""
RECORD = "record"
"""The key of the metadata that holds a scenario as JSON.

A document would be cut into trigrams for a search that nobody makes.
"""
Objection = TypeVar("Objection")


@dataclass(frozen=True)
class Neighbour:
    """A pool entry and the cosine of its situation with the one that was looked up."""

    scenario: Scenario
    similarity: float


class Pool:
    """The scenarios in the folder `path`, embedded by `embedder`; one process at a time.

    Raises:
        LockedError: another process has the pool open.
        StorageError: the folder cannot be written or is no ChromaDB store.
    """

    def __init__(self, path: Path, embedder: Embedder) -> None:
        self._path = path
        self._embedder = embedder
        self._writing = threading.RLock()
        self._cells: dict[str, Cell] = {}
        self._scenes: dict[tuple[str, ...], Scenes] = {}
        self._themes: dict[str, Vectors] = {}
        self._lock = lock_pool(path)
        try:
            client = _client(path)
            self._collection: ChromaCollection = client.get_or_create_collection(
                _collection_name(embedder.name),
                embedding_function=None,
                configuration={"hnsw": {"space": "cosine", "ef_search": EF_SEARCH}},
            )
        except (ChromaError, ValueError, AttributeError) as error:
            # Of a store that it failed to open before, ChromaDB misses its own attributes.
            self._lock.release()
            raise StorageError(f"The pool {path} cannot be opened: {error}.") from error

    def close(self) -> None:
        """Let another process have the pool."""
        self._lock.release()

    def __len__(self) -> int:
        return self._ask("count")

    def load(self, scenarios: Iterable[Scenario]) -> int:
        """Add those that are not there yet, unexamined, batch by batch; how many these were."""
        loaded = 0
        source = iter(scenarios)
        while batch := list(islice(source, BATCH)):
            wanted = {s.id: s for s in batch}
            with self._writing:
                there = set(self._ask("get", ids=list(wanted), include=[])["ids"])
                missing = [s for s in wanted.values() if s.id not in there]
                if missing:
                    self._add(missing, self._embedder.embed([s.situation for s in missing]))
            loaded += len(missing)
        return loaded

    def get(self, ids: Sequence[str]) -> list[Scenario]:
        """The scenarios of these ids, in this order; those that are gone are left out."""
        if not ids:
            return []
        rows = self._ask("get", ids=list(dict.fromkeys(ids)), include=["metadatas"])
        found = {s.id: s for s in _scenarios(rows["metadatas"])}
        return [found[i] for i in ids if i in found]

    def add_unless(
        self,
        scenarios: Sequence[Scenario],
        objection: Callable[[Scenario, Sequence[Neighbour]], Objection | None],
    ) -> list[Objection | None]:
        """Add each scenario that nothing speaks against.

        Look-up, objection and addition are one step for all threads, so that of several equal
        scenarios the first alone comes in. One that is already there under its own id counts as
        added.

        Args:
            scenarios: the candidates; earlier ones of the batch are neighbours of later ones.
            objection: takes a candidate with its nearest neighbours, nearest first, and says what
                speaks against it, if anything. These are `LOOKED_AT` of its dimension, where a
                paraphrase may share no word, and `LOOKED_AT_ELSEWHERE` of the whole pool.

        Returns:
            For each scenario None where it was added, otherwise the objection.
        """
        if not scenarios:
            return []
        vectors = self._embedder.embed([s.situation for s in scenarios])
        answers: list[Objection | None] = []
        fresh: list[int] = []
        with self._writing:
            ids = list({s.id for s in scenarios})
            there = set(self._ask("get", ids=ids, include=[])["ids"])
            near = (
                self._in_cells(scenarios, vectors),
                self._nearest(vectors, LOOKED_AT_ELSEWHERE + 1),
            )
            for row, (cell, pool) in enumerate(zip(*near, strict=True)):
                if scenarios[row].id in there:
                    answers.append(None)
                    continue
                beside = (Neighbour(scenarios[i], float(vectors[i] @ vectors[row])) for i in fresh)
                others = {n.scenario.id: n for n in (*cell, *pool, *beside)}
                known = sorted(others.values(), key=lambda n: -n.similarity)
                answers.append(objection(scenarios[row], known))
                if answers[-1] is None:
                    there.add(scenarios[row].id)
                    fresh.append(row)
            if fresh:
                self._add([scenarios[row] for row in fresh], vectors[fresh])
        return answers

    def search(self, text: str, count: int, dimensions: Collection[str] = ()) -> list[Neighbour]:
        """The scenarios whose situations are nearest to `text`, of these dimensions or of all."""
        vectors = self._embedder.embed([text])
        if not dimensions:
            return self._nearest(vectors, count)[0]
        with self._writing:
            return self._neighbours(self._joined(dimensions).nearest(vectors, count))[0]

    def scenes(self, dimensions: Sequence[str]) -> Scenes:
        """The scenes of these dimensions, ready to be drawn from; its theme is the first one's."""
        key = tuple(dimensions)
        with self._writing:
            if key not in self._scenes:
                self._scenes[key] = Scenes(self._joined(key), self._theme(key[0]))
            return self._scenes[key]

    def rarest_domains(self, dimension: str, count: int) -> tuple[Domain, ...]:
        """The parts of life that the fewest scenes of a dimension are taken from."""
        with self._writing:
            found = Counter(place.domain for place in self._cell(dimension).places)
        return tuple(sorted(get_args(Domain), key=lambda domain: found[domain])[:count])

    def scenarios(self, dimension: str | None = None) -> Iterator[Scenario]:
        """All scenarios, or those of one dimension, page by page in the order of their adding."""
        where: Any = {"dimension": dimension} if dimension else None
        for offset in count(0, BATCH):
            rows = self._ask("get", where=where, limit=BATCH, offset=offset, include=["metadatas"])
            page = _scenarios(rows["metadatas"])
            yield from page
            if len(page) < BATCH:
                return

    def retire(self, ids: Sequence[str]) -> None:
        """Take scenarios out of the pool: the critic found them unfit."""
        with self._writing:
            if ids:
                changed = {s.dimension for s in self.get(ids)}
                self._ask("delete", ids=list(ids))
                self._cells = {d: cell for d, cell in self._cells.items() if d not in changed}
                self._forget_scenes(changed)

    def _ask(self, what: str, **given: Any) -> Any:
        """What ChromaDB answers.

        Raises:
            StorageError: the disk is full, or the store damaged.
        """
        try:
            return getattr(self._collection, what)(**given)
        except ChromaError as error:
            raise StorageError(
                f"The pool {self._path} cannot be read or written: {error}.",
                "Is the disk full? A damaged pool is filled anew once its folder is moved away.",
            ) from error

    def _in_cells(self, scenarios: Sequence[Scenario], vectors: Vectors) -> list[list[Neighbour]]:
        """For each scenario its nearest neighbours of the same dimension."""
        near: dict[int, list[tuple[str, float]]] = {}
        for name, rows in _rows(scenarios).items():
            near |= zip(rows, self._cell(name).nearest(vectors[rows], LOOKED_AT), strict=True)
        return self._neighbours([near[row] for row in range(len(scenarios))])

    def _neighbours(self, near: Sequence[Sequence[tuple[str, float]]]) -> list[list[Neighbour]]:
        """The scenarios of these ids, with their cosines."""
        wanted = dict.fromkeys(i for of_one in near for i, _ in of_one)
        known = {s.id: s for s in self.get(list(wanted))}
        return [[Neighbour(known[i], cosine) for i, cosine in of_one] for of_one in near]

    def _joined(self, dimensions: Iterable[str]) -> Cell:
        first, *parts = map(self._cell, dimensions)
        return sum(parts, start=first)

    def _cell(self, name: str) -> Cell:
        """The scenes of a dimension, which stay in memory from the first look on."""
        if name not in self._cells:
            whole = ["metadatas", "embeddings"]
            rows = self._ask("get", where={"dimension": name}, include=whole)
            self._cells[name] = _cell(_scenarios(rows["metadatas"]), rows["embeddings"])
        return self._cells[name]

    def _nearest(self, vectors: Vectors, count: int) -> list[list[Neighbour]]:
        """For each vector its nearest neighbours in the whole pool."""
        rows = self._ask(
            "query",
            query_embeddings=list(vectors),
            n_results=count,
            include=["metadatas", "distances"],
        )
        found = zip(rows["metadatas"] or [], rows["distances"] or [], strict=True)
        return [
            [
                Neighbour(scenario, 1.0 - distance)
                for scenario, distance in zip(_scenarios(near), distances, strict=True)
            ]
            for near, distances in found
        ]

    def _theme(self, name: str) -> Vectors:
        if name not in self._themes:
            self._themes[name] = theme(self._embedder, dimension(name))
        return self._themes[name]

    def _add(self, scenarios: Sequence[Scenario], vectors: Vectors) -> None:
        self._ask(
            "upsert",
            ids=[s.id for s in scenarios],
            embeddings=list(vectors),
            metadatas=[{"dimension": s.dimension, RECORD: s.model_dump_json()} for s in scenarios],
        )
        rows = _rows(scenarios)
        for name in rows.keys() & self._cells.keys():
            fresh = _cell([scenarios[row] for row in rows[name]], vectors[rows[name]])
            self._cells[name] += fresh
        self._forget_scenes(rows)

    def _forget_scenes(self, changed: Collection[str]) -> None:
        self._scenes = {key: c for key, c in self._scenes.items() if not set(key) & set(changed)}


def lock_pool(path: Path) -> FileLock:
    """The pool's lock, which whoever works on its home holds; to be released.

    Raises:
        LockedError: another process has the pool open.
        StorageError: the folder cannot be made.
    """
    lock = FileLock(path / "pool.lock")
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        raise LockedError(
            f"Another gravity process has the pool {path} open.",
            "Wait for it to end, or give this one its own --home.",
        ) from None
    except OSError as error:
        raise StorageError(f"The pool {path} cannot be made: {error.strerror}.") from error
    return lock


def erase_scenarios(path: Path, doomed: Callable[[str], bool]) -> list[str]:
    """Take every scenario whose JSON is `doomed` out of all collections, and out of the bytes.

    Args:
        path: the pool's folder, whose lock the caller holds.
        doomed: takes a scenario as JSON.

    Returns:
        The ids of the erased.

    Raises:
        StorageError: the pool is damaged or in use.
    """
    file = path / "chroma.sqlite3"
    erased: list[str] = []
    if not file.exists():
        return erased
    try:
        for collection in _client(path).list_collections():
            rows = collection.get(include=["metadatas", "documents"])
            documents = rows["documents"] or []  # where an earlier version kept scenarios
            listed = zip(rows["ids"], rows["metadatas"] or [], documents, strict=True)
            ids = [i for i, kept, text in listed if doomed(text or str((kept or {}).get(RECORD)))]
            if ids:
                collection.delete(ids=ids)
            erased += ids
        if erased:
            with closing(sqlite3.connect(file, isolation_level=None)) as connection:
                # ChromaDB keeps what was added in its queue, also after it was deleted.
                connection.execute("PRAGMA secure_delete=ON")
                connection.executemany(
                    "UPDATE embeddings_queue SET metadata = NULL WHERE id = ?",
                    [(scenario_id,) for scenario_id in erased],
                )
                connection.execute("VACUUM")
        for header in path.glob("*/header.bin"):
            _blank_spare_room(header)
    except (ChromaError, ValueError, AttributeError, sqlite3.Error, OSError) as error:
        raise StorageError(f"The pool {path} cannot be purged: {error}.") from error
    return erased


def _blank_spare_room(header: Path) -> None:
    """Overwrite the room for vectors to come, into which hnswlib writes unset memory as it is.

    That memory may hold anything the process has had in hand, such as a reader's words. The
    header of the index says how many vectors there are and how many bytes each takes; each has a
    length in single precision, too.
    """
    _version, _offset, _room, used, size = struct.unpack_from("<i4Q", header.read_bytes())
    for name, each in (("data_level0.bin", size), ("length.bin", 4)):
        with (header.parent / name).open("r+b") as kept:
            end = kept.seek(0, os.SEEK_END)
            start = kept.seek(min(used * each, end))
            kept.write(bytes(end - start))


def _client(path: Path) -> ClientAPI:
    settings = Settings(anonymized_telemetry=False, allow_reset=False)
    return chromadb.PersistentClient(str(path), settings)


def _scenarios(metadatas: Iterable[Mapping[str, Any]] | None) -> list[Scenario]:
    return [Scenario.model_validate_json(str(row[RECORD])) for row in metadatas or []]


def _rows(scenarios: Iterable[Scenario]) -> dict[str, list[int]]:
    """The rows of each dimension."""
    rows: dict[str, list[int]] = {}
    for row, scenario in enumerate(scenarios):
        rows.setdefault(scenario.dimension, []).append(row)
    return rows


def _cell(scenarios: Iterable[Scenario], vectors: Any) -> Cell:
    places = tuple(Place(s.id, s.culture, s.ages, s.domain) for s in scenarios)
    return Cell(places, np.asarray(vectors, dtype=np.float16))


def _collection_name(model: str) -> str:
    """Vectors of different models never meet: one collection for each."""
    return "scenes-" + re.sub(r"[^a-zA-Z0-9]+", "-", model).strip("-")[-40:]
