"""Whom we believe to be the server, when we connect by TLS.

Either those whom this machine trusts, or an authority of one's own (``--ca``).
The certificate has to be for the host of the URL in any case.
"""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass

from connections import Refused

_PROBLEM = re.compile(r"certificate verify failed: (.*?)\.? \(_ssl")


@dataclass(frozen=True)
class Trust:
    """Who may have signed the certificates of servers.

    :ivar ca_file: certificates (PEM); ``None``: whom this machine trusts.
    """

    ca_file: str | None = None

    @property
    def verify(self) -> str | bool:
        """As requests wants to be told."""
        return self.ca_file or True

    def context(self) -> ssl.SSLContext:
        """For whatever else speaks TLS."""
        return ssl.create_default_context(cafile=self.ca_file)


MACHINES = Trust()
"""Trust in whom this machine trusts."""


def not_trusted(url: str, error: Exception) -> Refused | None:
    """What to say if the server could not prove who it is; ``None``: that is not the problem."""
    # Where in it the reason stands is another place with each library.
    found = _PROBLEM.search(repr(error))
    if found is None:
        return None
    return Refused(
        f"{url} can't prove who it is: {found[1]} (--ca FILE names the certificate of who may sign"
        " the server's)"
    )
