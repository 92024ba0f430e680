"""How far raters agree, as a table in text; it measures nothing."""

from collections.abc import Mapping

from agents.judges.agreement import Agreement
from tui.widgets.plain import plain_line

MEASURES = """\
alpha (Krippendorff) and AC1 (Gwet): 1 at best, 0 for chance; AC1 stays steady where
nearly all are rated alike."""


def agreement_table(head: str, rows: Mapping[str, Agreement]) -> str:
    """A line for each row, named by its key; a dash where a measure has no value."""
    lines = [f"  {head:<30} {'pairs':>6} {'equal':>6} {'alpha':>6} {'AC1':>6}"]
    for name, row in rows.items():
        share = "–" if row.share is None else f"{row.share:.0%}"
        alpha, ac1 = ("–" if v is None else f"{v:.2f}" for v in (row.alpha, row.ac1))
        name = plain_line(name, 30)
        lines.append(f"  {name:<30} {row.units:>6} {share:>6} {alpha:>6} {ac1:>6}")
    return "\n".join(lines)
