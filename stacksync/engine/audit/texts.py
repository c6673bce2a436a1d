"""Texts of the audit: what strangers send is cut short, and can't break a line or a terminal."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from stacksync.model import AuditEvent

TEXT_KEPT = 400
"""Characters of a text; a name of a file or an e-mail has fewer."""

LISTED = 200
"""Elements of a list; at most 120 people are asked to take part in a folder."""

UNPRINTABLE = "\N{REPLACEMENT CHARACTER}"


def clean(event: AuditEvent) -> AuditEvent:
    """The event with texts that can be kept, logged and shown as they are."""
    return evolve(
        event,
        email=None if event.email is None else text(event.email),
        address=None if event.address is None else text(event.address),
        detail={name: value_of(value) for name, value in event.detail.items()},
    )


def text(told: str) -> str:
    """At most :data:`TEXT_KEPT` characters, without control characters and lone surrogates."""
    cut = told if len(told) <= TEXT_KEPT else told[: TEXT_KEPT - 1] + "…"
    return "".join(letter if letter.isprintable() else UNPRINTABLE for letter in cut)


def value_of(value: Any) -> Any:
    """A value of an event's detail: a text, number or id, or a list of them."""
    if isinstance(value, list | tuple):
        kept = [value_of(each) for each in value[:LISTED]]
        left = len(value) - len(kept)
        return [*kept, f"… {left} more"] if left else kept
    if value is None or isinstance(value, int | float):
        return value
    return text(str(value))
