"""The tree of errors, each with its cause and its cure; nothing here handles them.

GravityError
├── InputError             a reader, book or pair file holds something unusable   exit 2
├── ConfigError            gravity.toml, the environment or a flag is wrong       exit 2
├── NotFoundError          a run, pair, reader, book or adapter is not there      exit 2
├── DecisionError          a person's decision on a pair cannot be taken          exit 2
│   └── RepeatedError      this very decision was taken before                (counted)
├── ModelError             a model could not answer
│   ├── EndpointError      the endpoint is unreachable or refuses                 exit 3
│   ├── BudgetError        the cap on what a run may cost is reached              exit 6
│   ├── KeyMissingError    the endpoint needs a key and there is none             exit 3
│   ├── ReplyError         the reply does not fit the schema, even after repair   (counted)
│   └── RefusalError       the model declined to answer                           (counted)
├── WeightsError           embedded weights are missing or damaged                exit 3
├── StorageError           the disk is full or the database cannot be written     exit 4
│   └── LockedError        another process holds the database or the pool         exit 4
└── TrainingError          the pairs cannot be trained on                         exit 5
"""

from pydantic import ValidationError


class GravityError(Exception):
    """Anything a user can mend: one line that says what happened and what to do."""

    exit_code = 1

    def __init__(self, problem: str, cure: str = "") -> None:
        super().__init__(f"{problem} {cure}".strip())
        self.problem = problem
        self.cure = cure


class InputError(GravityError):
    """A reader, book or pair file holds something unusable."""

    exit_code = 2


class ConfigError(GravityError):
    """The configuration holds an unknown key or an unusable value."""

    exit_code = 2


class NotFoundError(GravityError):
    """What was named does not exist here."""

    exit_code = 2


class DecisionError(GravityError):
    """A person's decision on a pair cannot be taken; `field` is the part of it at fault."""

    exit_code = 2

    def __init__(self, field: str, problem: str, cure: str = "") -> None:
        super().__init__(problem, cure)
        self.field = field


class RepeatedError(DecisionError):
    """This very decision was taken before, and changes nothing."""


class ModelError(GravityError):
    """A model could not answer."""

    exit_code = 3
    status: int | None = None
    """That the endpoint answered with, where it is this that failed."""


class EndpointError(ModelError):
    """The endpoint is unreachable, refuses, or stays silent past the time-out."""

    def __init__(
        self,
        problem: str,
        cure: str = "",
        passing: bool = False,
        retry_after_s: float | None = None,
        may_cost: bool = False,
    ) -> None:
        super().__init__(problem, cure)
        self.may_cost = may_cost
        """Whether the call reached the endpoint, which may charge for it all the same."""
        self.passing = passing
        """Whether the same again may go through: too busy, silent, failing, or not there."""
        self.retry_after_s = retry_after_s
        """Seconds that the endpoint asks to wait, where it does."""


class BudgetError(ModelError):
    """The cap on what a run may cost is reached."""

    exit_code = 6


class KeyMissingError(ModelError):
    """The endpoint needs a key and the environment holds none."""


class ReplyError(ModelError):
    """The reply does not fit the asked schema, even after repair; `raw` keeps it."""

    def __init__(self, problem: str, raw: str = "") -> None:
        super().__init__(problem)
        self.raw = raw


class RefusalError(ModelError):
    """The model declined to answer."""


class WeightsError(GravityError):
    """Embedded weights are missing, damaged, or could not be fetched."""

    exit_code = 3


class StorageError(GravityError):
    """The disk is full or the database cannot be written."""

    exit_code = 4


class LockedError(StorageError):
    """Another process holds the database or the pool."""


class TrainingError(GravityError):
    """The pairs cannot be trained on."""

    exit_code = 5


def first_fault(error: ValidationError) -> tuple[str, str]:
    """The first field at fault, as `reviews.0.rating`, and what is wrong with it."""
    first = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(str(step) for step in first["loc"])
    return field, first["msg"].removeprefix("Value error, ")
