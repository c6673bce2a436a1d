"""OpenStack's identity service: our own place in it, and our users' there.

Only Keystone's API is known here: no accounts, no containers, no protocols.
"""

from __future__ import annotations

from stacksync.storage.keystone.diagnosis import Diagnosis, diagnose
from stacksync.storage.keystone.failures import CA_OPTION, IdentityNotFound, KeystoneRefuses
from stacksync.storage.keystone.identity import Identities, Identity
from stacksync.storage.keystone.service import Keystone, keystone_for

__all__ = [
    "CA_OPTION",
    "Diagnosis",
    "Identities",
    "Identity",
    "IdentityNotFound",
    "Keystone",
    "KeystoneRefuses",
    "diagnose",
    "keystone_for",
]
