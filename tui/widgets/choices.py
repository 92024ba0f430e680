"""A few answers to choose one from, by its number, by cursor or by mouse; it knows no question."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual.binding import Binding
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList


class Choices(OptionList):
    """Numbered answers; the one that holds is marked with a full circle."""

    DEFAULT_CSS = """
    Choices {
        height: auto;
        padding: 0;
        background: transparent;
        scrollbar-size-vertical: 1;
        &, &:focus { border: none; background-tint: transparent; }
        & > .option-list--option-highlighted { background: $block-cursor-background; }
        &:focus > .option-list--option-highlighted {
            color: $foreground;
            background: $block-cursor-background;
            text-style: bold;
        }
    }
    """
    BINDINGS = [
        Binding("k", "cursor_up", "Up", show=False),
        Binding("j", "cursor_down", "Down", show=False),
    ]

    @dataclass
    class Chosen(Message):
        """One was chosen, by its place from 0."""

        index: int

    def ask(self, choices: Sequence[tuple[str, str]], chosen: int | None) -> None:
        """Offer `choices`, each a name and a line below it that may be empty."""
        self.clear_options()
        for index, (name, below) in enumerate(choices):
            mark = "●" if index == chosen else "○"
            first = Content.assemble((f"{index + 1} ", "bold $text-primary"), f"{mark} {name}")
            rest = Content.styled(f"\n    {below}", "$text-muted") if below else ""
            self.add_option(Content.assemble(first, rest))
        self.highlighted = chosen

    def choose(self, index: int) -> None:
        """Choose by place."""
        self.post_message(self.Chosen(index))

    def on_option_list_option_selected(self, selected: OptionList.OptionSelected) -> None:
        """Enter or a click."""
        selected.stop()
        self.choose(selected.option_index)
