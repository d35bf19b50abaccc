"""Redaction of personal data by its places: what the model, patterns and checks find is replaced.

``onepass.redact.redact(model, text)`` does it for one text; a `Redactor` for many,
`redact_files` for the rows of files. Nothing outside the places that were found changes.
"""

from onepass.redact.actions import ACTIONS
from onepass.redact.files import RedactJob, redact_files, redact_stream
from onepass.redact.kinds import PII
from onepass.redact.redactor import Options, Redactor, redact
from onepass.redact.report import Report
from onepass.results.redacted import Found, Redacted

__all__ = [
    "ACTIONS",
    "PII",
    "Found",
    "Options",
    "RedactJob",
    "Redacted",
    "Redactor",
    "Report",
    "redact",
    "redact_files",
    "redact_stream",
]
