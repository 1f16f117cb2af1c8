"""What a run could not try on this machine, and how to get it: one line at the end."""

from collections import Counter

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Count the skipped tests by their reason, which says what to install."""
    reports = terminalreporter.stats.get("skipped", [])
    reasons = Counter(
        _reason(report) for report in reports if isinstance(report, pytest.TestReport | pytest.CollectReport)
    )
    if reasons:
        told = "; ".join(f"{count}: {reason}" for reason, count in sorted(reasons.items()))
        terminalreporter.write_line(f"not tried here: {told}")


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    said = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return said.removeprefix("Skipped: ")
