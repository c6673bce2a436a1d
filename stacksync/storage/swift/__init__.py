"""The store in OpenStack's object store, Swift.

Speaks Swift's API and nothing else: whose token it is, and where the object
store is, Keystone's client knows.  Who may read what is decided above; here it
is only written to the containers' access lists.
"""

from __future__ import annotations

from stacksync.storage.swift.store import SwiftStore

__all__ = ["SwiftStore"]
