"""What Keystone may say that the operator has to put right."""

from __future__ import annotations

from stacksync.errors import NotFound, Unavailable

PART = "keystone"

CA_OPTION = "[keystone] ca_file"
"""The setting that says whom we trust, for error messages."""


class KeystoneRefuses(Unavailable):
    """Our own credentials or rights are not enough; the same again would not help.

    For who made the request it is an outage all the same: it is not their fault.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(PART, problem)


class IdentityNotFound(NotFound):
    """There is no such user in the domain of our users."""

    noun = "Keystone user"
