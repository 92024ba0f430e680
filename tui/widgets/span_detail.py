"""One span in full: where it belongs, what it took, and the texts of a model call."""

import time
from collections.abc import Iterator

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from graph.tracing.traces import Span
from tui.widgets.plain import plain, plain_line

MUTED = "$text-muted"


class SpanDetail(VerticalScroll):
    """Shows a span and scrolls it; it looks nothing up."""

    DEFAULT_CSS = "SpanDetail > Static { height: auto; }"

    def compose(self) -> ComposeResult:
        """One text."""
        yield Static(id="told")

    def show(self, span: Span | None, otherwise: str = "") -> None:
        """Show `span` from its beginning, or the words `otherwise` where there is none."""
        self.scroll_home(animate=False)
        self.border_title = Content(span.id[:16]) if span else "Span"
        told = Content("\n").join(_lines(span)) if span else Content(otherwise)
        self.query_one("#told", Static).update(told)

    def read_on(self) -> None:
        """Go on by a page, and from the end back to the beginning."""
        if self.scroll_offset.y >= self.max_scroll_y:
            self.scroll_home(animate=False)
        else:
            self.scroll_page_down(animate=False)


def _lines(span: Span) -> Iterator[Content]:
    began = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(span.started_at))
    yield Content.assemble(
        (plain_line(f"{span.kind} {span.name}"), "bold"),
        (f"  begun {began}, took {span.duration_s:.3f} s", MUTED),
    )
    if span.kind == "call":
        price = "reply kept from before" if span.cached else f"${span.cost_usd:.4f}"
        tokens = f"{span.tokens_in:,} tokens in, {span.tokens_out:,} out"
        yield Content.styled(f"{tokens}, {price}", MUTED)
    if span.error:
        yield Content.styled(plain_line(span.error, 1000), "$text-error")
    for name, value in (span.attributes or {}).items():
        if not isinstance(value, list):
            yield Content.styled(f"{name}: {plain_line(str(value))}", MUTED)
    for role, text in span.turns:
        yield Content.assemble("\n", (role.upper(), f"bold {MUTED}"), "\n", plain(text))
