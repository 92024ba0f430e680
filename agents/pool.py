"""The candidate pool: scenarios with their vectors. The only file that knows ChromaDB."""

import logging
import os
import re
import sqlite3
import struct
import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import chromadb
import numpy as np
from chromadb.api import ClientAPI
from chromadb.api.models.Collection import Collection as ChromaCollection
from chromadb.config import Settings
from chromadb.errors import ChromaError
from filelock import FileLock, Timeout

from agents.embeddings import Embedder, Vectors
from agents.errors import LockedError, StorageError
from agents.records import Scenario

logging.getLogger("chromadb").setLevel(logging.ERROR)


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
        self._embedder = embedder
        self._writing = threading.Lock()
        self._lock = lock_pool(path)
        try:
            client = _client(path)
            self._collection: ChromaCollection = client.get_or_create_collection(
                _collection_name(embedder.name),
                embedding_function=None,
                configuration={"hnsw": {"space": "cosine"}},
            )
        except (ChromaError, ValueError, AttributeError) as error:
            # Of a store that it failed to open before, ChromaDB misses its own attributes.
            self._lock.release()
            raise StorageError(f"The pool {path} cannot be opened: {error}.") from error

    def close(self) -> None:
        """Let another process have the pool."""
        self._lock.release()

    def __len__(self) -> int:
        return self._collection.count()

    def load(self, scenarios: Iterable[Scenario]) -> int:
        """Add those that are not there yet, unexamined; how many these were."""
        wanted = {s.id: s for s in scenarios}
        with self._writing:
            rows = self._collection.get(ids=list(wanted), include=[]) if wanted else {"ids": []}
            there = set(rows["ids"])
            missing = [s for s in wanted.values() if s.id not in there]
            if missing:
                self._add(missing, self._embedder.embed([s.situation for s in missing]))
        return len(missing)

    def get(self, ids: Sequence[str]) -> list[Scenario]:
        """The scenarios of these ids, in this order; those that are gone are left out."""
        if not ids:
            return []
        documents = self._collection.get(ids=list(ids), include=["documents"])["documents"] or []
        found = {s.id: s for s in map(Scenario.model_validate_json, documents)}
        return [found[i] for i in ids if i in found]

    def add_unless_near(
        self, scenarios: Sequence[Scenario], duplicate_at: float
    ) -> list[Neighbour | None]:
        """Add each scenario whose cell holds nothing nearer than the cosine `duplicate_at`.

        Check and addition are one step for all threads. A scenario that is already there under
        its own id counts as added.

        Returns:
            For each scenario None where it was added, otherwise what it collided with.
        """
        vectors = self._embedder.embed([s.situation for s in scenarios])
        collisions: list[Neighbour | None] = []
        with self._writing:
            for scenario, vector in zip(scenarios, vectors, strict=True):
                nearest = next(
                    (n for n in self._near(scenario, vector, 2) if n.scenario.id != scenario.id),
                    None,
                )
                if nearest and nearest.similarity >= duplicate_at:
                    collisions.append(nearest)
                    continue
                collisions.append(None)
                self._add([scenario], vector[np.newaxis])
        return collisions

    def retire(self, ids: Sequence[str]) -> None:
        """Take scenarios out of the pool: the critic found them unfit."""
        with self._writing:
            if ids:
                self._collection.delete(ids=list(ids))

    def draw(
        self, dimension: str, country: str | None, taken: Collection[str], count: int
    ) -> list[Scenario]:
        """At most `count` scenarios of a cell: neutral or of this country, none of `taken`.

        Each next one is the farthest from those drawn before it (greedy max-min distance), the
        first the one with the smallest id, so that equal readers draw equal scenes.
        """
        rows = self._collection.get(
            where={"dimension": dimension}, include=["documents", "embeddings"]
        )
        vectors = np.asarray(rows["embeddings"], dtype=np.float32)
        open_to_reader = {"", country or ""}
        candidates = sorted(
            (scenario.id, index, scenario)
            for index, scenario in enumerate(
                map(Scenario.model_validate_json, rows["documents"] or [])
            )
            if scenario.id not in taken and (scenario.culture or "") in open_to_reader
        )
        if not candidates:
            return []
        order = [index for _, index, _ in candidates]
        picked = _spread(vectors[order], min(count, len(order)))
        return [candidates[position][2] for position in picked]

    def _near(self, scenario: Scenario, vector: Vectors, count: int) -> list[Neighbour]:
        rows = self._collection.query(
            query_embeddings=[vector],
            n_results=count,
            where={"dimension": scenario.dimension},
            include=["documents", "distances"],
        )
        documents, distances = (rows["documents"] or [[]])[0], (rows["distances"] or [[]])[0]
        return [
            Neighbour(Scenario.model_validate_json(document), 1.0 - distance)
            for document, distance in zip(documents, distances, strict=True)
        ]

    def _add(self, scenarios: Sequence[Scenario], vectors: Vectors) -> None:
        self._collection.upsert(
            ids=[s.id for s in scenarios],
            embeddings=list(vectors),
            documents=[s.model_dump_json() for s in scenarios],
            metadatas=[{"dimension": s.dimension, "facet": s.facet} for s in scenarios],
        )


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
            rows = collection.get(include=["documents"])
            listed = zip(rows["ids"], rows["documents"] or [], strict=True)
            ids = [scenario_id for scenario_id, document in listed if doomed(document)]
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
    header of the index says how many vectors there are and how many bytes each takes.
    """
    _version, _offset, _room, used, size = struct.unpack_from("<i4Q", header.read_bytes())
    with (header.parent / "data_level0.bin").open("r+b") as vectors:
        end = vectors.seek(0, os.SEEK_END)
        start = vectors.seek(min(used * size, end))
        vectors.write(bytes(end - start))


def _client(path: Path) -> ClientAPI:
    settings = Settings(anonymized_telemetry=False, allow_reset=False)
    return chromadb.PersistentClient(str(path), settings)


def _spread(vectors: Vectors, count: int) -> list[int]:
    picked = [0]
    similarity = vectors @ vectors.T
    while len(picked) < count:
        nearest = similarity[:, picked].max(axis=1)
        nearest[picked] = np.inf
        picked.append(int(nearest.argmin()))
    return picked


def _collection_name(model: str) -> str:
    """Vectors of different models never meet: one collection for each."""
    return "scenarios-" + re.sub(r"[^a-zA-Z0-9]+", "-", model).strip("-")[-40:]
