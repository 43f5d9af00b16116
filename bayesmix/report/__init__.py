"""The report of a model: one HTML page to read, ``summary.json`` to compute with, the pictures."""

from bayesmix.report.write import ReportResult, rebuild, write_report, write_report_from

__all__ = ["ReportResult", "rebuild", "write_report", "write_report_from"]
