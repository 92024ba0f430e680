"""One description while it is written and when it is checked; it calls no model."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from agents.errors import GravityError
from tui.widgets.plain import plain, plain_line


class DescriptionPane(VerticalScroll):
    """The text of one model, with its name above and what was found in it below."""

    DEFAULT_CSS = """
    DescriptionPane {
        width: 1fr;
        padding: 0 1;
        border-top: solid $panel;
        border-title-color: $text-muted;
        scrollbar-size-vertical: 1;
        & > Static { height: auto; }
        & > #found { margin-top: 1; }
        &.-writing { border-top: solid $primary; border-title-color: $text-primary; }
        &:focus { border-top: solid $primary; }
    }
    """

    _name = Content("")

    def compose(self) -> ComposeResult:
        """The text and what was found."""
        yield Static(id="text")
        yield Static(id="found")

    def begin(self, name: str, state: str) -> None:
        """Clear the pane for the text of `name`; `state` says what is waited for."""
        self._name = Content(plain_line(name, 60))
        self._settle(state, writing=True)
        self._put("text", Content(""))
        self._put("found", Content(""))

    def write(self, text: str) -> None:
        """Show `text`, the whole of what has come so far."""
        self._put("text", Content(plain(text)))
        self.scroll_end(animate=False)

    def finish(self, text: str, faithful: bool, doubts: Sequence[str]) -> None:
        """Show the whole text and whether it keeps to the facts of the book."""
        self._settle(f"{len(text.split())} words")
        self._put("text", Content(plain(text)) if text else Content("(the model wrote nothing)"))
        if faithful:
            found = Content.styled("✓ faithful in names and numbers", "$text-success")
        else:
            found = Content.styled("? doubt: names or numbers of its own", "$text-warning")
        lines = [Content(plain_line(doubt, 1000)) for doubt in doubts]
        self._put("found", Content("\n").join([found, *lines]))
        self.scroll_home(animate=False)

    def fail(self, error: GravityError) -> None:
        """Say that there will be no text, and why."""
        self._settle("failed")
        self._put("found", Content.styled(plain(str(error)), "$text-error"))

    def hint(self, text: str) -> None:
        """Say what to do to have a text here."""
        self._settle("")
        self._put("text", Content.styled(text, "$text-muted"))

    def stop(self) -> None:
        """Leave an unfinished text as it stands."""
        if self.has_class("-writing"):
            self._settle("stopped")

    def _settle(self, state: str, writing: bool = False) -> None:
        self.border_title = Content.assemble(
            self._name, (f" · {state}" if state else "", "not bold")
        )
        self.set_class(writing, "-writing")

    def _put(self, id: str, content: Content) -> None:
        self.query_one(f"#{id}", Static).update(content)
