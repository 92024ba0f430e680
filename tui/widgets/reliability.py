"""Reliability diagrams in characters and as SVG: what was stated beside what was approved."""

import io
import warnings
from collections.abc import Iterator, Sequence

from agents.judges.calibration import FOLDS, Assessment
from agents.judges.reliability import Bin, Reliability
from tui.widgets.plain import plain_line

STRIP = 40
"""Columns from a share of 0 to a share of 1."""
KEY = f"""● share approved   ─ its 95 % interval   ┊ where it should be   ◆ both in one place
ECE is the mean distance of ● from ┊. Held out: each pair was calibrated by what
was fitted without its scenario, in {FOLDS} folds."""


def told(assessment: Assessment) -> str:
    """A judge's calibration, both errors, and its diagram without and with the calibration."""
    kept, before, after = assessment.calibration, assessment.before, assessment.after
    lines = [
        plain_line(kept.judge, 60),
        f"  {kept.decisions} decisions, {kept.approved} approved;"
        f" slope {kept.slope:.2f}, intercept {kept.intercept:+.2f}",
    ]
    if kept.slope == 0:
        lines += [
            "  Its probabilities do not rise with approval: it tells nothing of what people",
            f"  decide. Calibrated it would give every pair {kept.apply(0.5):.2f}: not kept.",
        ]
    lines += ["", f"  as the judge gave it: {_errors(before)}", *_indented(before.bins)]
    if after:
        lines += ["", f"  calibrated, held out: {_errors(after)}", *_indented(after.bins)]
    else:
        lines.append(f"  Fewer than {FOLDS} scenarios: too few to see on others how far it helps.")
    return "\n".join(lines)


def diagram(bins: Sequence[Bin], outcome: str = "approved by people") -> Iterator[str]:
    """A row for each bin: what was stated, and what share had that outcome, from 0 to 1."""
    yield f"stated 0{outcome:^{STRIP}}1 share    95 %    pairs"
    for b in bins:
        cells = [" "] * STRIP
        first, last = _cell(b.low), _cell(b.high)
        cells[first : last + 1] = "─" * (last - first + 1)
        cells[_cell(b.mean_probability)] = "┊"
        at = _cell(b.share_right)
        cells[at] = "◆" if cells[at] == "┊" else "●"
        interval = f"{b.low:.2f}–{b.high:.2f}"
        yield (
            f"  {b.mean_probability:.2f} │{''.join(cells)}│  {b.share_right:.2f} {interval}"
            f" {b.count:>6}"
        )


def drawn(assessments: Sequence[Assessment]) -> bytes:
    """The same as SVG: one or more judges below each other, circles before and squares after."""
    from matplotlib import rc_context  # takes a second
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 5 * len(assessments)), layout="constrained")
    panels = figure.subplots(len(assessments), squeeze=False)[:, 0]
    for axes, assessment in zip(panels, assessments, strict=True):
        axes.plot((0, 1), (0, 1), linestyle=":", color="grey", label="where it should be")
        shown = [("as given", "o", "C0", assessment.before)]
        if assessment.after:
            shown.append(("calibrated, held out", "s", "C1", assessment.after))
        for name, marker, colour, found in shown:
            stated = [b.mean_probability for b in found.bins]
            shares = [b.share_right for b in found.bins]
            reach = (
                [b.share_right - b.low for b in found.bins],
                [b.high - b.share_right for b in found.bins],
            )
            label = f"{name}: {_errors(found)}"
            axes.errorbar(
                stated, shares, reach, marker=marker, color=colour, capsize=2, label=label
            )
        axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="stated probability", ylabel="share approved")
        axes.set_title(plain_line(assessment.calibration.judge, 60), parse_math=False)
        axes.legend(fontsize="small")
    picture = io.BytesIO()
    with rc_context({"svg.fonttype": "none"}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # text stays text, for the viewer's own fonts
        figure.savefig(picture, format="svg", metadata={"Date": None})
    return picture.getvalue()


def _indented(bins: Sequence[Bin]) -> Iterator[str]:
    return (f"  {line}" for line in diagram(bins))


def _errors(found: Reliability) -> str:
    return f"ECE {found.expected_error:.3f}, Brier {found.brier:.3f}"


def _cell(share: float) -> int:
    return min(int(share * STRIP), STRIP - 1)
