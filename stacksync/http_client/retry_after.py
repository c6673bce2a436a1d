"""When a busy server wants to be asked again: the header ``Retry-After`` (RFC 9110, 10.2.3)."""

from __future__ import annotations


def seconds_of(retry_after: str | None) -> float:
    """Seconds that the header asks for; 0 if it asks for none.

    A date is passed over: it would need clocks that agree, and OpenStack's
    servers, and the proxies before them, tell seconds.
    """
    told = (retry_after or "").strip()
    # More digits than these are no wait but a mistake, and would overflow a timer.
    return float(told) if told.isascii() and told.isdigit() and len(told) < 10 else 0.0
