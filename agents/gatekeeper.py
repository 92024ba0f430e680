"""The deterministic gates of the critic by name: whatever one refuses reaches no judge."""

from collections.abc import Callable, Iterable

from agents import gates
from agents.judges.judge import Proposal
from agents.records import SensitiveTopic
from agents.settings import CriticSettings

Gate = Callable[[Proposal, CriticSettings], str | None]


def refusals(proposal: Proposal, settings: CriticSettings) -> dict[str, str]:
    """Why a pair must not pass, by the name of the gate; nothing where no model would hurt to ask.

    Args:
        proposal: the pair.
        settings: the thresholds.
    """
    found = {name: gate(proposal, settings) for name, gate in GATES.items()}
    return {name: reason for name, reason in found.items() if reason}


def _schema(proposal: Proposal, _settings: CriticSettings) -> str | None:
    roles = [turn.role for turn in proposal.pair.prompt]
    if not roles or roles[-1] != "user" or "assistant" in roles[:1]:
        return "its prompt does not end with a question of a user"
    asks_nothing = gates.no_question(proposal.scenario.situation)
    return asks_nothing or _first(gates.says_nothing(answer) for answer in proposal.answers)


def _language(proposal: Proposal, _settings: CriticSettings) -> str | None:
    situation = proposal.scenario.situation
    return _first(gates.other_language(answer, situation) for answer in proposal.answers)


def _length(proposal: Proposal, settings: CriticSettings) -> str | None:
    return gates.unequal_length(*proposal.answers, settings.max_length_ratio)


def _sameness(proposal: Proposal, settings: CriticSettings) -> str | None:
    return gates.nearly_identical(*proposal.answers, settings.max_overlap)


def _repetition(proposal: Proposal, _settings: CriticSettings) -> str | None:
    return _first(map(gates.runs_in_circles, _texts(proposal)))


def _copies(proposal: Proposal, settings: CriticSettings) -> str | None:
    told = [*proposal.portrait.splitlines(), *proposal.axis.said]
    return _first(
        gates.copied_words(answer, told, settings.max_shared_words)
        or gates.copied_nearly(answer, told, settings.max_copied_share)
        for answer in proposal.answers
    )


def _dimension(proposal: Proposal, _settings: CriticSettings) -> str | None:
    return _first(gates.names_dimension(answer, proposal.axis) for answer in proposal.answers)


def _nationality(proposal: Proposal, _settings: CriticSettings) -> str | None:
    return _first(map(gates.asserts_nation, _texts(proposal)))


def _sensitive(proposal: Proposal, _settings: CriticSettings) -> str | None:
    allowed: set[SensitiveTopic] = set(proposal.consent)
    if proposal.axis.sensitive:  # nothing is planned on it that the reader has not confirmed
        allowed.add(proposal.axis.sensitive)
    return _first(gates.touches_sensitive(text, allowed) for text in _texts(proposal))


def _unsafe(proposal: Proposal, _settings: CriticSettings) -> str | None:
    return _first(map(gates.is_unsafe, proposal.answers))


def _instructions(proposal: Proposal, _settings: CriticSettings) -> str | None:
    return _first(
        gates.holds_instructions(text) or gates.courts_judges(text) for text in _texts(proposal)
    )


GATES: dict[str, Gate] = {
    "schema": _schema,
    "language": _language,
    "length": _length,
    "sameness": _sameness,
    "repetition": _repetition,
    "copied": _copies,
    "dimension": _dimension,
    "nationality": _nationality,
    "sensitive": _sensitive,
    "unsafe": _unsafe,
    "instructions": _instructions,
}
"""In the order in which their reasons are told."""


def _texts(proposal: Proposal) -> tuple[str, str, str]:
    return proposal.scenario.situation, *proposal.answers


def _first(reasons: Iterable[str | None]) -> str | None:
    return next((reason for reason in reasons if reason), None)
