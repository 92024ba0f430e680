"""An audit as one HTML file that stands alone: figures, rows at fault and plots; no script."""

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from agents.findings import Finding
from agents.replacing import replacing
from training.pair_set import PairSet
from tui.audit_plots import plots
from tui.widgets.plain import plain_line

WORDS = {"ok": "ok", "warn": "warning", "fail": "fails"}


def write_report(file: Path, name: str, pairs: PairSet, findings: Sequence[Finding]) -> None:
    """Write the report whole, or not at all.

    Args:
        file: the HTML file.
        name: what was audited.
        pairs: with what was measured of them.
        findings: of their audit.

    Raises:
        StorageError: `file` cannot be written.
    """
    page = render_report(name, pairs, findings)
    with replacing(file) as draft:
        draft.write_text(page, "utf-8")


def render_report(name: str, pairs: PairSet, findings: Sequence[Finding]) -> str:
    """The page, in which every text from elsewhere is data."""
    source = files("tui").joinpath("audit_report.html").read_text("utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.from_string(source).render(
        name=plain_line(name),
        total=len(pairs.rows),
        checks=[
            {
                "name": finding.check,
                "level": finding.level,
                "word": WORDS[finding.level],
                "figure": plain_line(finding.figure),
                "told": [plain_line(told) for told in finding.told],
            }
            for finding in findings
        ],
        plots={check: Markup(svg) for check, svg in plots(pairs).items()},
    )
