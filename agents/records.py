"""The nouns of Gravity: frozen pydantic models with no behaviour beyond knowing themselves."""

from datetime import date
from typing import Annotated, Any, Literal

from iso3166 import countries_by_alpha2
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

Facet = Literal["interest", "value", "belief", "personality"]
FACETS: tuple[Facet, ...] = ("interest", "value", "belief", "personality")
Pole = Literal["high", "low"]
Source = Literal[
    "stated", "questionnaire", "inferred_text", "inferred_behaviour", "national_prior", "default"
]
SensitiveTopic = Literal["religion", "politics", "sexuality", "health", "ethnicity", "union"]
"""What the law guards above all; never inferred or used without the reader's recorded consent."""
PairStatus = Literal["proposed", "accepted", "rejected", "review"]
Role = Literal["system", "user", "assistant"]


def _known_country(code: str) -> str:
    if code not in countries_by_alpha2:
        raise ValueError(f"{code!r} is not an ISO 3166 two-letter country code such as 'BR'")
    return code


Country = Annotated[str, AfterValidator(_known_country)]


class Record(BaseModel):
    """Frozen, closed, and documented by its field docstrings."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Message(Record):
    """One turn of a conversation."""

    role: Role
    content: str


ABOUT = "about"
"""The review id under which evidence points into `Reader.about`."""


class Review(Record):
    """What one reader said of one book."""

    id: str
    book_id: str
    title: str = ""
    rating: float = Field(ge=1, le=5)
    """Stars from 1 to 5."""
    text: str = ""
    timestamp: int | None = None
    """Unix time in seconds."""


class Reader(Record):
    """A person as the input file tells of them."""

    id: str = Field(min_length=1, max_length=200)
    age: int | None = Field(default=None, ge=0, le=120)
    gender: str | None = None
    country: Country | None = None
    """ISO 3166 alpha-2."""
    locale: str | None = None
    """BCP 47, such as pt-BR."""
    favourite_genres: tuple[str, ...] = ()
    """Genre clusters ranked by the reader, best first."""
    about: str = ""
    """What the reader (or a persona file) says of themselves; read like a review."""
    reviews: tuple[Review, ...] = ()
    questionnaire: dict[str, Annotated[int, Field(ge=1, le=5)]] = {}
    """Agreement with seed statements by id: 1 strongly disagree to 5 strongly agree."""
    instruments: dict[str, dict[int, int]] = {}
    """Answers to published instruments: by instrument, then by item number, as printed."""
    consent: tuple[SensitiveTopic, ...] = ()
    """Sensitive topics that the reader agreed to have inferred and used."""

    @property
    def answer_count(self) -> int:
        """Answers to questionnaires, ours and published ones."""
        return sum(map(len, self.instruments.values())) + len(self.questionnaire)

    def review(self, review_id: str) -> Review | None:
        """The review of this id, where there is one."""
        return next((r for r in self.reviews if r.id == review_id), None)

    def text(self, review_id: str) -> str | None:
        """The text of a review, or of `about` under its own id; none where there is no such one."""
        if review_id == ABOUT:
            return self.about
        review = self.review(review_id)
        return review.text if review else None


class Book(Record):
    """A book as the catalogue tells of it; the only source of facts for a description."""

    id: str = Field(min_length=1)
    title: str
    author: str = ""
    genres: tuple[str, ...] = ()
    description: str = ""
    ratings: int | None = Field(default=None, ge=0)
    """How many people rated it, where the catalogue says so."""


class SeedStatement(Record):
    """A first-person sentence that a person at one pole of a dimension agrees with."""

    id: str
    pole: Pole
    text: str
    sensitive: SensitiveTopic | None = None


class Dimension(Record):
    """One axis of a framework, with its two respectable poles."""

    framework: str
    facet: Facet
    name: str
    label: str
    code: str | None = None
    """As the literature abbreviates it: O1, pdi, Q57-Q105."""
    parent: str | None = None
    """The broader dimension it is a part of: openness for imagination."""
    sensitive: SensitiveTopic | None = None
    high: str
    """How a person at the high pole is, as a verb phrase in the third person."""
    low: str
    statements: tuple[SeedStatement, ...]

    def pole(self, pole: Pole) -> str:
        """The phrase for `pole`."""
        return self.high if pole == "high" else self.low

    @property
    def said(self) -> list[str]:
        """Everything that tells of it: the phrases of both poles, then all seed statements."""
        return [self.high, self.low, *(s.text for s in self.statements)]

    def texts(self, pole: Pole) -> list[str]:
        """The seed statements of `pole`, in order."""
        return [s.text for s in self.statements if s.pole == pole]


class Evidence(Record):
    """The span of a review that speaks for a pole: `review.text[start:end]`.

    An empty span points to the rating alone, as evidence from behaviour does.
    """

    review_id: str
    start: int
    end: int
    pole: Pole
    statement_id: str = ""
    """The seed statement the span resembles; none for a rating."""

    def quote(self, reader: Reader) -> str:
        """The words of the span, or nothing where the review is gone."""
        return (reader.text(self.review_id) or "")[self.start : self.end]


class Contribution(Record):
    """One source of an attribute, and how much of what is known comes from it."""

    source: Source
    method: str
    """The instrument, the text backend, or the table and edition."""
    share: float
    """Of the posterior precision that is not the population's own: 0 to 1."""


Z80 = 1.2816
"""Half the width of a normal distribution's central 80 %, in standard deviations."""


class Attribute(Record):
    """Where a reader stands on one dimension, how surely, and how that is known."""

    facet: Facet
    dimension: str
    score: float
    """Posterior mean on the T scale: population mean 50, standard deviation 10."""
    sd: float
    """Posterior standard deviation in T points; 10 says that nothing is known."""
    source: Source
    """The weightiest of `sources`."""
    sources: tuple[Contribution, ...] = ()
    """Everything that was combined, weightiest first."""
    evidence: tuple[Evidence, ...] = ()
    sensitive: SensitiveTopic | None = None
    verified: bool = False
    """Whether the reader (or an operator for them) confirmed or corrected it."""
    forbidden: bool = False
    """Whether they forbade its use."""
    expires_on: date | None = None
    """The day from which it is neither shown nor used."""

    @property
    def band(self) -> tuple[float, float]:
        """The interval that holds the true score with a probability of 80 %, in T points."""
        return self.score - Z80 * self.sd, self.score + Z80 * self.sd

    @property
    def known(self) -> bool:
        """Whether it tells of the person, and not of their country or of everyone."""
        return self.source not in ("default", "national_prior")

    @property
    def usable(self) -> bool:
        """Whether pairs and descriptions may rest on it.

        A country's average is never used of a person, nor what is sensitive and unverified.
        """
        return self.known and not self.forbidden and (self.verified or self.sensitive is None)

    @property
    def pole(self) -> Pole:
        """The side of the middle on which the reader stands."""
        return "high" if self.score >= 50 else "low"

    @property
    def departure(self) -> float:
        """How far from the middle, in units of its own uncertainty."""
        return abs(self.score - 50) / self.sd


class Interest(Record):
    """A genre cluster with the reader's share of liking for it."""

    cluster: str
    label: str
    share: float
    source: Source
    verified: bool = False
    forbidden: bool = False


class Profile(Record):
    """What is known of a reader: explicit facts and implicit attributes."""

    reader_id: str
    age: int | None = None
    gender: str | None = None
    country: Country | None = None
    locale: str | None = None
    interests: tuple[Interest, ...] = ()
    """Ranked, best first."""
    attributes: tuple[Attribute, ...] = ()
    made_on: date | None = None
    notices: tuple[str, ...] = ()
    """What the profiler could not use, and how little it knows."""

    def attribute(self, dimension: str) -> Attribute | None:
        """The attribute for `dimension`, where there is one."""
        return next((a for a in self.attributes if a.dimension == dimension), None)


Provenance = Literal["pool", "written"]
Domain = Literal[
    "home",
    "work",
    "school",
    "money",
    "travel",
    "friends",
    "family",
    "reading",
    "community",
    "nature",
    "food",
    "leisure",
]
"""The part of life a scene is taken from."""


class Scenario(Record):
    """An everyday situation with an answer for each pole of its dimension: a twin."""

    id: str
    facet: Facet
    dimension: str
    situation: str
    high: str
    low: str
    culture: Country | None = None
    """The country the scene is lived in; none where it is neutral."""
    domain: Domain = "community"
    ages: tuple[int, int] = (18, 99)
    """The youngest and the oldest age, in years, of a person who may live the scene."""
    provenance: Provenance = "pool"
    """Shipped or imported, or written for a run."""
    parents: tuple[str, ...] = ()
    """The pool entries that were shown to the writer as examples."""

    @field_validator("ages")
    @classmethod
    def _in_order(cls, ages: tuple[int, int]) -> tuple[int, int]:
        if not 0 <= ages[0] <= ages[1]:
            raise ValueError("the youngest and the oldest, in this order")
        return ages

    def answer(self, pole: Pole) -> str:
        """The answer of `pole`."""
        return self.high if pole == "high" else self.low


class Verdict(Record):
    """One judge's word on one pair."""

    judge: str
    probability: float | None = Field(default=None, ge=0, le=1)
    """That the pair is right: the reader prefers the chosen answer, and nothing is wrong with the
    pair. Averaged over both orders; none where the judge gave no usable answer."""
    flipped: bool = False
    """Whether swapping the order changed the judge's mind: a tie."""
    criteria: dict[str, float] = {}
    """What the probability was made of, question by question."""
    failure: Literal["refused", "malformed"] | None = None
    """Why there is no probability."""
    reason: str = ""
    raw: str = ""
    """What the judge replied, where that was of no use."""


class Pair(Record):
    """A prompt with a chosen and a rejected answer for one reader."""

    id: str
    run_id: str
    reader_id: str
    scenario_id: str
    facet: Facet
    dimension: str
    """What of the profile the pair rests on: a dimension; a genre cluster where it comes from
    rated books; empty where a model invented it from the whole profile."""
    pole: Pole
    """The pole the chosen answer stands for; of two books `high` is the one with the lower id."""
    group: str = ""
    """Pairs of one group stay together when pairs are held out; empty stands for `scenario_id`."""
    prompt: tuple[Message, ...]
    chosen: str
    rejected: str
    verdicts: tuple[Verdict, ...] = ()
    status: PairStatus = "proposed"
    reason: str = ""

    @property
    def probability(self) -> float | None:
        """That the pair is right: the mean over the judges that gave a usable answer."""
        given = [v.probability for v in self.verdicts if v.probability is not None]
        return sum(given) / len(given) if given else None


class Description(Record):
    """A book described for a reader by one method."""

    reader_id: str
    book_id: str
    method: str
    """`base`, `tuned:NAME` or `prompted:MODEL`."""
    text: str
    faithful: bool
    """False where the text names something that the book record does not."""
    why: tuple[str, ...]
    """The profile's reasons that were put to the model, and what was found unfaithful."""


class ModelCall(Record):
    """One call to a model, as it is traced."""

    agent: str
    model: str
    prompt: tuple[Message, ...]
    reply: str
    tokens_in: int
    tokens_out: int
    duration_s: float
    cost_usd: float
    """What it cost; what it would have cost, where it is `cached`."""
    error: str | None = None
    key: str = ""
    """Of everything that the reply depends on; the same key, the same reply."""
    cached: bool = False
    """Whether the reply was kept from an earlier call, and cost nothing."""
    logprobs: dict[str, Any] | None = None
    """As the endpoint told them, where they were asked for."""
