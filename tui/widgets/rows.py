"""A table that draws only the lines in sight, so that any number of rows opens at once.

Textual's own DataTable measures every cell beforehand: 3.3 s for 20,000 rows of seven columns.
It knows nothing of what its rows stand for.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from textual import events
from textual.binding import Binding
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.style import Style
from textual.visual import Visual

T = TypeVar("T")


@dataclass(frozen=True)
class Column:
    """One column: its least width in cells and its part of the width that is left over."""

    label: str
    width: int
    share: int = 0
    align: Literal["left", "right"] = "left"


class Rows(ScrollView, Generic[T], can_focus=True):
    """Rows of one line each, with a cursor; the screen binds the key that picks."""

    COMPONENT_CLASSES = {"rows--head", "rows--cursor"}
    DEFAULT_CSS = """
    Rows {
        height: 1fr;
        padding: 0 1;
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
        & > .rows--head { color: $text-muted; text-style: bold; }
        & > .rows--cursor {
            color: $foreground;
            background: $block-cursor-blurred-background;
        }
        &:focus > .rows--cursor { background: $block-cursor-background; text-style: bold; }
    }
    """
    BINDINGS = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home,g", "jump(0)", "First", show=False),
        Binding("end,G", "jump(-1)", "Last", show=False),
    ]

    cursor: reactive[int] = reactive(0)

    class Moved(Message):
        """The cursor stands on another row, or the rows are others."""

    class Picked(Message):
        """`action_pick` was called, or the row under the cursor was clicked."""

    def __init__(
        self, columns: Sequence[Column], cells: Callable[[T], Sequence[Content | str]], id: str
    ) -> None:
        super().__init__(id=id)
        self._columns = columns
        self._cells = cells
        self._items: Sequence[T] = ()

    @property
    def current(self) -> T | None:
        """What the row under the cursor stands for."""
        return self._items[self.cursor] if self.cursor < len(self._items) else None

    @property
    def row_count(self) -> int:
        """How many rows there are."""
        return len(self._items)

    def show(self, items: Sequence[T], cursor: int = 0) -> None:
        """Put `items` in place of what is shown, with the cursor on row `cursor`."""
        self._items = items
        self.virtual_size = Size(0, len(items) + 1)
        self.set_reactive(Rows.cursor, max(0, min(cursor, len(items) - 1)))
        self._keep_in_sight()
        self.refresh()
        self.post_message(self.Moved())

    def render_line(self, y: int) -> Strip:
        """Line `y` of what is in sight; the first is the head."""
        width = self.scrollable_content_region.width
        index = self.scroll_offset.y + y - 1
        style, name = self.visual_style, ""
        if y == 0:
            name, cells = "rows--head", [column.label for column in self._columns]
        elif index < len(self._items):
            cells = self._cells(self._items[index])
            name = "rows--cursor" if index == self.cursor else ""
        else:
            cells = []
        if name:
            style += Style.from_styles(self.get_component_styles(name))
        line = self._line(cells, width)
        return Visual.to_strips(self, line, width, 1, style, apply_selection=False, pad=True)[0]

    def _line(self, cells: Sequence[Content | str], width: int) -> Content:
        gaps = len(self._columns) - 1
        spare = max(0, width - gaps - sum(column.width for column in self._columns))
        shares = sum(column.share for column in self._columns) or 1
        parts: list[Content] = []
        for column, cell in zip(self._columns, cells, strict=False):
            room = column.width + spare * column.share // shares
            content = Content(cell) if isinstance(cell, str) else cell
            content = content.truncate(room, ellipsis=True)
            lack = room - content.cell_length
            pad = content.pad_left if column.align == "right" else content.pad_right
            parts.append(pad(lack))
        return Content(" ").join(parts)

    # --- moving -------------------------------------------------------------------------------

    @property
    def _page(self) -> int:
        return max(1, self.scrollable_content_region.height - 1)

    def _keep_in_sight(self) -> None:
        top, bottom = self.scroll_offset.y, self.scroll_offset.y + self._page - 1
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False)
        elif self.cursor > bottom:
            self.scroll_to(y=self.cursor - self._page + 1, animate=False)

    def watch_cursor(self) -> None:
        """Follow the cursor and tell of it."""
        self._keep_in_sight()
        self.refresh()
        self.post_message(self.Moved())

    def on_resize(self) -> None:
        """Keep the cursor in sight in the new height."""
        self._keep_in_sight()
        self.refresh()

    def action_move(self, by: int) -> None:
        """Move the cursor by some rows, no further than the ends."""
        self.cursor = max(0, min(self.cursor + by, len(self._items) - 1))

    def action_page(self, by: int) -> None:
        """Move the cursor by pages."""
        self.action_move(by * self._page)

    def action_jump(self, to: int) -> None:
        """Move the cursor to row `to`, counted from the end where it is negative."""
        self.action_move(to - self.cursor if to >= 0 else len(self._items))

    def action_pick(self) -> None:
        """Tell that the row under the cursor is meant."""
        if self.current is not None:
            self.post_message(self.Picked())

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on the clicked row; a click on the cursor picks."""
        offset = event.get_content_offset(self)
        if offset is None or offset.y == 0:
            return
        index = self.scroll_offset.y + offset.y - 1
        if index == self.cursor:
            self.action_pick()
        elif index < len(self._items):
            self.cursor = index
