"""Endpoint strings that begin with ``ssl:``, read by form alone.

Twisted reads the files that they name as soon as it sees the string, and
never again; here they are for whoever listens.
"""

from __future__ import annotations

import re
from pathlib import Path

from attrs import frozen
from twisted.internet.endpoints import quoteStringArgument

PREFIX = "ssl:"

# Twisted's order of what stands without a name.
_NAMES = ("port", "privateKey", "certKey", "sslmethod", "interface", "backlog", "extraCertChain")
_PLAIN = ("interface", "backlog")
_NOT_TAKEN = {
    "sslmethod": "TLS 1.2 and 1.3 are spoken, and no others",
    "dhParameters": "keys are agreed on by elliptic curves, which need none",
}


@frozen
class TlsEndpoint:
    """What such a string says.

    :ivar plain: the same endpoint without TLS: ``tcp:443:interface=127.0.0.1``.
    :ivar chain: more certificates, which lead to the authority.
    """

    plain: str
    key: Path
    certificate: Path
    chain: Path | None


def tls_endpoint(text: str) -> TlsEndpoint:
    """Read ``ssl:443:privateKey=…:certKey=…:extraCertChain=…:interface=…:backlog=…``.

    :raises ValueError: it has what can't be understood or is not wanted.
    """
    arguments = _arguments(text.removeprefix(PREFIX))
    for name, reason in _NOT_TAKEN.items():
        if name in arguments:
            raise ValueError(f"{name}: {reason}; leave it out")
    unknown = arguments.keys() - {*_NAMES}
    if unknown:
        raise ValueError(f"{', '.join(sorted(unknown))}: there are {', '.join(_NAMES)}")
    if not re.fullmatch("[0-9]{1,5}", arguments.get("port", "")):
        raise ValueError("the port is missing")
    key = arguments.get("privateKey", "")
    if not key:
        raise ValueError("privateKey is missing")
    options = [
        f":{name}={quoteStringArgument(arguments[name])}" for name in _PLAIN if name in arguments
    ]
    chain = arguments.get("extraCertChain")
    return TlsEndpoint(
        plain="".join([f"tcp:{arguments['port']}", *options]),
        key=Path(key),
        # As Twisted has it: both may stand in one file.
        certificate=Path(arguments.get("certKey") or key),
        chain=Path(chain) if chain else None,
    )


def _arguments(text: str) -> dict[str, str]:
    """By name; a colon, an equals sign or a backslash of a value has a backslash before it."""
    found: dict[str, str] = {}
    unnamed = iter(_NAMES)
    for part in re.findall(r"(?:\A|:)((?:[^:\\]|\\.)*)", text):
        match = re.fullmatch(r"([A-Za-z]+)=(.*)", part, re.S)
        name, value = (match[1], match[2]) if match else (next(unnamed, ""), part)
        found[name] = re.sub(r"\\(.)", r"\1", value)
    return found
