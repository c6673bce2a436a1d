"""HTTP to other services: persistent connections, verified certificates, time limits.

Knows neither Keystone nor Swift: what a status means is for who asked.
"""

from __future__ import annotations

from stacksync.storage.web.answer import Answer
from stacksync.storage.web.body import let_go, whole_body
from stacksync.storage.web.failures import CertificateRefused, NoAnswer
from stacksync.storage.web.retries import STANDARD, Busy, Retries, retried
from stacksync.storage.web.retry_after import seconds_of
from stacksync.storage.web.session import WebSession

__all__ = [
    "STANDARD",
    "Answer",
    "Busy",
    "CertificateRefused",
    "NoAnswer",
    "Retries",
    "WebSession",
    "let_go",
    "retried",
    "seconds_of",
    "whole_body",
]
