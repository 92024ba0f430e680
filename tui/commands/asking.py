"""Asks a person about pairs in any terminal, one key and Enter at a time; the store decides."""

import io
import sys
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from graph.store import Store

KEYS = "[a]pprove [e]dit [r]eject [s]kip [u]ndo the last [q]uit [?]"
HELP = """
a  approve: this reader would rather have the chosen answer
e  edit: write either answer anew, which approves the pair
r  reject, for a reason
s  skip: it is asked about another time
u  undo the last decision taken here, and decide anew
q  quit: all decisions are kept already"""


def ask(store: "Store", run_id: str, reviewer: str) -> int | None:
    """Ask about every pair of a run that waits for this person.

    Only the pair that is asked about is read, so that any number may wait.

    Returns:
        How many were decided; none where nothing waits.
    """
    waiting = store.waiting(run_id, reviewer)
    if not waiting:
        return None
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")
    asking = _Asking(store, waiting, reviewer)
    try:
        while asking.at < len(waiting):
            asking.ask_next()
    except EOFError:  # quits, also in the middle of an answer: what is half said is not kept
        pass
    return len(asking.decided)


class _Asking:
    """Where a person is among the pairs that wait."""

    def __init__(self, store: "Store", waiting: list[str], reviewer: str) -> None:
        self._store = store
        self._waiting = waiting
        self._reviewer = reviewer
        self.at = 0
        self.decided: list[int] = []
        """Places of the pairs that were decided on here, in order."""

    def ask_next(self) -> None:
        """Ask about one pair, unless somebody else has decided on it or it is gone.

        Raises:
            EOFError: the person is done.
        """
        from agents.errors import DecisionError, NotFoundError
        from tui.commands.pairs import told
        from tui.widgets.plain import plain

        pair = self._store.pairs_by_id([self._waiting[self.at]]).get(self._waiting[self.at])
        if pair is None or pair.status != "review":
            self.at += 1
            return
        typer.echo(f"\n{told(pair)}\n\n{self.at + 1:,} of {len(self._waiting):,}. {KEYS}")
        try:
            self._obey(pair.id, input("> ").strip().lower()[:1])
        except (DecisionError, NotFoundError) as error:
            typer.echo(plain(str(error)))

    def _obey(self, pair_id: str, key: str) -> None:
        who, via = self._reviewer, "terminal"
        match key:
            case "a":
                self._store.decide(pair_id, "approve", who, via=via)
                self._go_on()
            case "r":
                self._store.decide(pair_id, "reject", who, input("reason: "), via=via)
                self._go_on()
            case "e":
                typer.echo("New texts; Enter keeps the old one.")
                texts = [input(f"{name}: ").strip() or None for name in ("chosen", "rejected")]
                self._store.decide(pair_id, "edit", who, "", *texts, via=via)
                self._go_on()
            case "s":
                self.at += 1
            case "u" if self.decided:
                self._store.undo(self._waiting[self.decided[-1]], who, via=via)
                self.at = self.decided.pop()
            case "u":
                typer.echo("Nothing to undo yet.")
            case "q":
                raise EOFError
            case "?":
                typer.echo(HELP)
            case _:
                typer.echo(f"Please answer with one of: {KEYS}")

    def _go_on(self) -> None:
        self.decided.append(self.at)
        self.at += 1
