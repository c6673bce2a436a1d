"""``/oauth/style.css``: how the pages look, in light and in dark."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stacksync.protocols.http.answer import Answer
from stacksync.protocols.http.resource import JSONResource

if TYPE_CHECKING:
    from stacksync.protocols.http.request import ApiRequest

# The system's colours are those that the reader has chosen, high contrast included.
STYLE = b"""\
:root { color-scheme: light dark; }
* { box-sizing: border-box; }
body { margin: 0; padding: 1.5rem 1rem; background: Canvas; color: CanvasText;
    font: 1.0625rem/1.5 system-ui, sans-serif; }
main { max-width: 32rem; margin: 0 auto; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 1rem; overflow-wrap: anywhere; }
p, ul, dd { overflow-wrap: anywhere; }
label { display: block; margin-top: 1rem; font-weight: 600; }
input { width: 100%; margin-top: .25rem; padding: .5rem; font: inherit;
    color: FieldText; background: Field; border: 1px solid GrayText; border-radius: .25rem; }
.alert { margin: 1rem 0; padding: .75rem 1rem; border: 2px solid #d32f2f; border-radius: .25rem; }
.choice { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 1.5rem; }
button { min-height: 2.75rem; padding: .5rem 1.5rem; font: inherit; cursor: pointer;
    border: 1px solid ButtonText; border-radius: .25rem;
    background: ButtonFace; color: ButtonText; }
button.allow { font-weight: 600; border-width: 2px; }
.verifier { font: 1.5rem/1.5 ui-monospace, monospace; letter-spacing: .1em;
    padding: .5rem 1rem; border: 1px solid GrayText; border-radius: .25rem;
    user-select: all; display: inline-block; }
:focus-visible { outline: 3px solid Highlight; outline-offset: 2px; }
"""

HEADERS = (
    (b"Content-Type", b"text/css; charset=utf-8"),
    (b"Cache-Control", b"public, max-age=3600"),
)


class StyleResource(JSONResource):
    """``GET /oauth/style.css``."""

    def __init__(self) -> None:
        super().__init__({b"GET": self._show})

    async def _show(self, request: ApiRequest) -> Answer:
        return Answer(STYLE, 200, HEADERS)
