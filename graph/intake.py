"""Turns one row of our schema into a reader or reviews, or tells what is wrong; reads no files."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from agents import gates, instruments, questionnaire
from agents.errors import InputError, NotFoundError, first_fault
from agents.frameworks.catalogue import genre_clusters
from agents.interests import clusters_of
from agents.records import Reader, Review
from graph import countries
from graph.books import plain_text
from graph.rows import Row, Tell, named_cell, parsed_cell
from graph.settings import ReadersSettings

Valid = TypeVar("Valid", bound=BaseModel)

_AS_GIVEN = ("age", "gender", "country", "locale", "about")
_NAMES = ("favourite_genres", "consent")
_ANSWERS = ("questionnaire", "instruments")


@dataclass(frozen=True)
class Intake:
    """The settings that rows are held against, and who is told of what fails."""

    settings: ReadersSettings
    tell: Tell

    def reader(self, row: Row, identity: str) -> Reader | None:
        """The reader without reviews, or nothing where the record is wrong or they are too young.

        A wrong sheet of a published instrument costs that sheet alone, a genre or a statement
        that there is not that one.
        """
        given = {key: value for key, value in row.values.items() if value not in (None, "")}
        values = {"id": identity} | {key: given[key] for key in _AS_GIVEN if key in given}
        values |= {key: _names(given[key]) for key in _NAMES if key in given}
        values |= {key: _filled(parsed_cell(given[key])) for key in _ANSWERS if key in given}
        if isinstance(given.get("about"), str):
            values["about"] = self._text(given["about"], f"{row.place}: about")
        if "country" in given:
            values["country"] = countries.alpha2(str(given["country"]))
            if values["country"] is None:
                self._unknown_country(row, str(given["country"]))
                return None
        reader = self._valid(Reader, values, row, "", "reader")
        if reader is None or self.too_young(row):
            return None
        usable = {
            "favourite_genres": self._genres(row, reader),
            "questionnaire": self._answers(row, reader),
            "instruments": self._sheets(row, reader),
        }
        return reader.model_copy(update=usable)

    def too_young(self, row: Row) -> bool:
        """Whether a row gives an age under the limit, which it is told of."""
        age = row.values.get("age")
        try:
            young = age not in (None, "") and float(age) < self.settings.min_age
        except (TypeError, ValueError):  # validation tells of it where the row makes a reader
            return False
        if young:
            self.tell(f"{row.place}: age: under {self.settings.min_age}; the reader was set aside")
        return young

    def reviews(self, row: Row, reader_id: str, known: int) -> list[Review]:
        """The good reviews of a row: those it lists, or the one that it is.

        Args:
            row: of our schema.
            reader_id: names reviews that have no id.
            known: how many of the reader's reviews came before.
        """
        if "reviews" not in row.values:
            one = row.values | {"id": row.values.get("review_id")}
            found = [self._review(row, "review", one, f"{reader_id}-r{known + 1}")]
            return [review for review in found if review]
        listed = parsed_cell(row.values["reviews"])
        if not isinstance(listed, list | None):
            self.tell(f"{row.place}: reviews: not a list; the reader has none")
            return []
        found = []
        for index, one in enumerate(listed or ()):
            name = f"{reader_id}-r{known + len(found) + 1}"
            review = self._review(row, f"reviews[{index}]", one, name)
            found += [review] if review else []
        return found

    def _review(self, row: Row, where: str, given: Any, name: str) -> Review | None:
        if not isinstance(given, dict):
            self.tell(f"{row.place}: {where}: not an object; the review was set aside")
            return None
        values = {
            "id": str(given.get("id") or name),
            "book_id": str(given.get("book_id") or "").strip(),
            "title": plain_text(str(given.get("title") or "")),
            "rating": given.get("rating"),
            "text": self._text(str(given.get("text") or ""), f"{row.place}: {where}.text"),
            "timestamp": _unix_time(given.get("timestamp")),
        }
        return self._valid(Review, values, row, where, "review")

    def _text(self, given: str, place: str) -> str:
        """Cleaned and cut; what tries to instruct a model is told of."""
        text, most = plain_text(given), self.settings.max_review_chars
        if len(text) > most:
            cut = f"{len(text):,} characters; cut to {most:,} (readers.max_review_chars)"
            self.tell(f"{place}: {cut}")
        flaw = gates.holds_instructions(text[:most])
        if flaw:
            self.tell(f"{place}: {flaw}; kept as data, never used as evidence")
        return text[:most]

    def _unknown_country(self, row: Row, given: str) -> None:
        nearest = countries.nearest(given)
        cure = f"did you mean {nearest}?" if nearest else "give a code or an English name."
        told = f"{row.place}: country: unknown (given: {_short(given)})"
        self.tell(f"{told}; {cure} The reader was set aside")

    def _genres(self, row: Row, reader: Reader) -> tuple[str, ...]:
        """The clusters of the genres that were named by an id or in the reader's own words."""
        ids = {cluster.id for cluster in genre_clusters()}
        found: dict[str, None] = {}
        for name in reader.favourite_genres:
            known = name.strip().casefold()
            clusters = [known] if known in ids else clusters_of([known])
            if not clusters:
                told = f"{_short(name)!r} is no genre; left out"
                self.tell(f"{row.place}: favourite_genres: {told}")
            found |= dict.fromkeys(clusters)
        return tuple(found)

    def _answers(self, row: Row, reader: Reader) -> dict[str, int]:
        flaws = questionnaire.flaws(reader.questionnaire)
        for item, flaw in flaws.items():
            self.tell(f"{row.place}: questionnaire.{_short(item)}: {flaw}; left out")
        return {i: answer for i, answer in reader.questionnaire.items() if i not in flaws}

    def _sheets(self, row: Row, reader: Reader) -> dict[str, dict[int, int]]:
        good: dict[str, dict[int, int]] = {}
        for name, answers in reader.instruments.items():
            try:
                known = instruments.instrument(_short(name))
                good[known.name] = instruments.checked(known, answers)
            except (InputError, NotFoundError) as error:
                where = f"{row.place}: instruments.{_short(name)}"
                self.tell(f"{where}: {error} The sheet was set aside")
        return good

    def _valid(
        self, record: type[Valid], values: dict[str, Any], row: Row, where: str, noun: str
    ) -> Valid | None:
        try:
            return record.model_validate(values)
        except ValidationError as error:
            field, fault = first_fault(error)
            path = ".".join(step for step in (where, field) if step)
            given = _short(error.errors(include_url=False)[0]["input"])
            told = f"{row.place}: {path}: {fault} (given: {given})"
            self.tell(f"{told}; the {noun} was set aside")
            return None


def _short(given: Any) -> str:
    """What was given, as far as a notice repeats it."""
    return str(given)[:40]


def _names(value: Any) -> Any:
    return named_cell(value) if isinstance(value, str) else value


def _filled(answers: Any) -> Any:
    """Parquet fills in null where other readers have answered."""
    if not isinstance(answers, dict):
        return answers
    filled = {key: _filled(answer) for key, answer in answers.items()}
    return {key: answer for key, answer in filled.items() if answer not in (None, {})}


def _unix_time(value: Any) -> Any:
    """ISO 8601 (without a zone: UTC) is taken as well as seconds; validation names the rest."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return value
    if not isinstance(moment, datetime):
        return moment
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
