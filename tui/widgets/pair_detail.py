"""One pair in full: the situation, both answers side by side, the verdicts and the reader."""

from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from agents.records import Pair
from tui.widgets.marks import odds, status_mark
from tui.widgets.plain import plain, plain_line


class PairDetail(VerticalScroll):
    """Shows a pair and scrolls it; it decides nothing."""

    DEFAULT_CSS = """
    PairDetail {
        Static { height: auto; }
        #head { color: $text-muted; }
        #answers { height: auto; margin: 1 0; }
        #chosen, #rejected {
            width: 1fr;
            padding: 0 1;
        }
        #chosen { border-left: outer $success; margin-right: 1; }
        #rejected { border-left: outer $error; }
        &.-empty Horizontal { display: none; }
    }
    """

    def compose(self) -> ComposeResult:
        """The parts from top to bottom."""
        yield Static(id="situation")
        with Horizontal(id="answers"):
            yield Static(id="chosen")
            yield Static(id="rejected")
        yield Static(id="rest")

    def on_mount(self) -> None:
        """Begin empty."""
        self.border_title = "Pair"
        self.add_class("-empty")

    def show(self, pair: Pair | None, otherwise: str = "") -> None:
        """Show `pair` from its beginning, or the words `otherwise` where there is none."""
        self.scroll_home(animate=False)
        self.set_class(pair is None, "-empty")
        if pair is None:
            self.border_title = "Pair"
            self._put("situation", Content(otherwise))
            self._put("rest", Content(""))
            return
        self.border_title = Content(plain_line(pair.id, 40))
        system = next((m.content for m in pair.prompt if m.role == "system"), "")
        asked = [m.content for m in pair.prompt if m.role != "system"]
        self._put("situation", Content("\n").join(Content(plain(text)) for text in asked))
        self._put("chosen", _answer("CHOSEN", "$text-success", pair.chosen))
        self._put("rejected", _answer("REJECTED", "$text-error", pair.rejected))
        self._put("rest", Content("\n").join([_standing(pair), *_verdicts(pair), _reader(system)]))

    def read_on(self) -> None:
        """Go on by a page, and from the end back to the beginning."""
        if self.scroll_offset.y >= self.max_scroll_y:
            self.scroll_home(animate=False)
        else:
            self.scroll_page_down(animate=False)

    def _put(self, id: str, content: Content) -> None:
        self.query_one(f"#{id}", Static).update(content)


def _answer(title: str, colour: str, text: str) -> Content:
    return Content.assemble((title, f"bold {colour}"), "\n", plain(text))


def _standing(pair: Pair) -> Content:
    reason = f"  {plain_line(pair.reason)}" if pair.reason else ""
    return Content.assemble(status_mark(pair.status), reason)


def _verdicts(pair: Pair) -> list[Content]:
    return [
        Content.assemble(
            (f"{plain_line(verdict.judge, 60)} ", "$text-muted"),
            (odds(verdict), "bold"),
            (" flipped when swapped" if verdict.flipped else "", "$text-warning"),
            f"  {plain_line(verdict.reason, 1000)}",
        )
        for verdict in pair.verdicts
    ]


def _reader(system: str) -> Content:
    if not system:
        return Content("")
    return Content.assemble(("\nTHE READER", "bold $text-muted"), "\n", plain(system))
