"""Keeps descriptions, so that none is made twice in the same way; it makes none."""

import time

from agents.records import Description
from graph.database import Database
from graph.tables import DescriptionRow


class Descriptions(Database):
    """The part of the run database that holds descriptions."""

    def keep_description(self, fingerprint: str, description: Description) -> None:
        """Keep a description under the fingerprint of everything that made it."""
        with self.writing() as session:
            session.merge(
                DescriptionRow(
                    fingerprint=fingerprint,
                    created_at=time.time(),
                    reader_id=description.reader_id,
                    book_id=description.book_id,
                    method=description.method,
                    record=description.model_dump(mode="json"),
                )
            )

    def description(self, fingerprint: str) -> Description | None:
        """The description that was made in exactly this way, where there is one."""
        with self.reading() as session:
            row = session.get(DescriptionRow, fingerprint)
            return Description.model_validate(row.record) if row else None
