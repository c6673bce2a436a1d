"""``/metrics``: numbers about this instance, for Prometheus.

For operators: open to all who reach the port, and nothing in it is anybody's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stacksync.metrics import CONTENT_TYPE
from stacksync.protocols.http.answer import Answer
from stacksync.protocols.http.resource import JSONResource

if TYPE_CHECKING:
    from stacksync.engine.metrics import Measurements
    from stacksync.protocols.http.request import ApiRequest


class MetricsResource(JSONResource):
    """``GET /metrics``."""

    is_rated = False

    def __init__(self, measurements: Measurements) -> None:
        super().__init__({b"GET": self._show})
        self._measurements = measurements

    async def _show(self, request: ApiRequest) -> Answer:
        text = await self._measurements.text()
        return Answer(text, headers=((b"Content-Type", CONTENT_TYPE.encode()),))
