"""What checks found, as lines of text; it checks nothing."""

from collections.abc import Sequence

from agents.findings import Finding
from tui.widgets.plain import plain_line

LEVELS = {"ok": "✓", "warn": "!", "fail": "✗"}


def told_findings(findings: Sequence[Finding]) -> str:
    """One line for each check, and what is at fault below it."""
    width = max((len(finding.check) for finding in findings), default=0)
    lines: list[str] = []
    for finding in findings:
        figure = plain_line(finding.figure)
        lines.append(f"{LEVELS[finding.level]} {finding.check:<{width}}  {figure}")
        lines += [f"    {plain_line(told, 150)}" for told in finding.told]
    return "\n".join(lines)
