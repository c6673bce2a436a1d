"""``/openapi.json``: the description, for everybody.

It is the same for as long as the process runs, so it is written once.
"""

from __future__ import annotations

from hashlib import sha256
from http import HTTPStatus
from typing import TYPE_CHECKING

import orjson

from stacksync.protocols.http.answer import Answer, Headers, StreamedAnswer
from stacksync.protocols.http.conditions import read_tags
from stacksync.protocols.http.openapi.document import document
from stacksync.protocols.http.resource import JSONResource

if TYPE_CHECKING:
    from stacksync.protocols.http.request import ApiRequest

MAY_BE_KEPT = (b"Cache-Control", b"public, max-age=3600")


class DescriptionResource(JSONResource):
    """``GET /openapi.json``."""

    def __init__(self) -> None:
        super().__init__({b"GET": self._show})
        self._body = orjson.dumps(document())
        self._tag = b'"%b"' % sha256(self._body).hexdigest()[:32].encode()

    async def _show(self, request: ApiRequest) -> Answer | StreamedAnswer:
        headers: Headers = ((b"ETag", self._tag), MAY_BE_KEPT)
        known = read_tags(request, b"If-None-Match")
        if known is not None and known.have_like(self._tag):
            return StreamedAnswer(None, 0, HTTPStatus.NOT_MODIFIED, headers)
        return Answer(self._body, headers=headers)
