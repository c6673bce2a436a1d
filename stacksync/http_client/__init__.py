"""HTTP to other services: persistent connections, verified certificates, time limits.

Knows neither Keystone nor Swift: what a status means is for who asked.
"""

from __future__ import annotations

from stacksync.http_client.answer import Answer
from stacksync.http_client.body import let_go, whole_body
from stacksync.http_client.failures import CertificateRefused, NoAnswer
from stacksync.http_client.retries import STANDARD, Busy, Retries, retried
from stacksync.http_client.retry_after import seconds_of
from stacksync.http_client.session import WebSession

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
