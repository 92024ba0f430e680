"""What people's words on one pair come to, and which words are sound; pure, it keeps nothing."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from agents.errors import DecisionError
from agents.records import Pair, PairStatus

Action = Literal["approve", "edit", "reject"]
MOST_CHARS = 2000
"""Of an edited answer: about the 512 tokens beyond which training sets a pair aside."""
MOST_REASON_CHARS = 500
MOST_NAME_CHARS = 100


@dataclass(frozen=True)
class Word:
    """What one person said of one pair."""

    reviewer: str
    action: Action
    reason: str = ""
    chosen: str | None = None
    rejected: str | None = None
    """Both texts, where the person edited."""


def settled(pair: Pair, before: Pair, words: Sequence[Word], reviewers: int) -> Pair:
    """`pair` as these words leave it.

    Where one person decides, the last word counts, whoever said it. Where several do, the last
    word of each counts: the pair stays as it was until so many have spoken and more of them are of
    one mind than of the other, so that one further person decides after a tie. The texts of the
    latest edit are taken, of several people's only where they accept the pair.

    Args:
        pair: as it is now.
        before: as it was when no word on it stood.
        words: those that stand, in their order.
        reviewers: how many different people must decide.
    """
    voices = list(words[-1:] if reviewers == 1 else {w.reviewer: w for w in words}.values())
    status = _majority(voices) if len(voices) >= reviewers else None
    won = [voice for voice in voices if _status(voice) == status]
    edits = [w for w in (words if reviewers == 1 else won) if w.action == "edit"]
    taken = edits[-1] if edits and (reviewers == 1 or status == "accepted") else None
    return pair.model_copy(
        update={
            "status": status or before.status,
            "reason": "; ".join(map(_why, won)) if status else before.reason,
            "chosen": (taken and taken.chosen) or before.chosen,
            "rejected": (taken and taken.rejected) or before.rejected,
        }
    )


def sound(word: Word, pair: Pair) -> Word:
    """The word with its name, reason and texts trimmed; an edit gets both texts.

    Raises:
        DecisionError: a text is empty, too long, or the same as the other; nothing was edited, or
            a text was changed without saying `edit`; the name or the reason is unusable.
    """
    own = {"chosen": pair.chosen, "rejected": pair.rejected}
    given = {"chosen": word.chosen, "rejected": word.rejected}
    texts = {field: own[field] if text is None else text.strip() for field, text in given.items()}
    changed = [field for field in own if _spelt(texts[field]) != _spelt(own[field])]
    if word.action not in get_args(Action):
        known = ", ".join(get_args(Action))
        raise DecisionError("action", f"{word.action!r} is none of {known}.", "Say one of these.")
    if changed and word.action != "edit":
        raise DecisionError(
            changed[0],
            f"The {changed[0]} answer is not that of pair {pair.id}.",
            f"Say edit to change it, or leave it out of this {word.action}.",
        )
    for field in changed:
        if not texts[field]:
            problem = f"The {field} answer is empty."
            raise DecisionError(field, problem, "Both answers need words.")
        _require_short(field, f"{field} answer", texts[field], MOST_CHARS)
    if word.action == "edit" and not changed:
        problem = f"Neither answer of pair {pair.id} is changed."
        raise DecisionError("chosen", problem, "Approve it instead.")
    if changed and _spelt(texts["chosen"]) == _spelt(texts["rejected"]):
        raise DecisionError(changed[0], "Both answers say the same.", "One must be the better.")
    reviewer, reason = word.reviewer.strip(), word.reason.strip()
    if not reviewer:
        raise DecisionError("reviewer", "Nobody is named as the reviewer.", "Give a name.")
    _require_short("reviewer", "name of the reviewer", reviewer, MOST_NAME_CHARS)
    _require_short("reason", "reason", reason, MOST_REASON_CHARS)
    return Word(reviewer, word.action, reason, **(texts if changed else {}))


def _require_short(field: str, what: str, text: str, most: int) -> None:
    if len(text) > most:
        problem = f"The {what} has {len(text):,} characters, {most:,} at most are kept."
        raise DecisionError(field, problem, "Shorten it.")


def _spelt(text: str) -> str:
    """The text as it is compared: white space and Unicode's forms make no difference."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def _majority(voices: Sequence[Word]) -> PairStatus | None:
    accepting = sum(_status(voice) == "accepted" for voice in voices)
    if 2 * accepting == len(voices):
        return None
    return "accepted" if 2 * accepting > len(voices) else "rejected"


def _status(word: Word) -> PairStatus:
    return "rejected" if word.action == "reject" else "accepted"


def _why(word: Word) -> str:
    return word.reason or f"{word.action} by {word.reviewer}"
