"""The Swift store does what every store must do, against the real Swift."""

from __future__ import annotations

from tests.storage.contract.copies import CopyContract
from tests.storage.contract.listing import ListingContract
from tests.storage.contract.objects import ObjectContract
from tests.storage.contract.outages import OutageContract
from tests.storage.contract.streaming import StreamingContract


class TestObjects(ObjectContract):
    pass


class TestCopies(CopyContract):
    pass


class TestListing(ListingContract):
    pass


class TestStreaming(StreamingContract):
    pass


class TestOutages(OutageContract):
    pass
