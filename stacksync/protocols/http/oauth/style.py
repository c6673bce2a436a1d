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
h2 { font-size: 1.25rem; line-height: 1.25; margin: 1.5rem 0 1rem; }
a { color: LinkText; }
label { display: block; margin-top: 1rem; font-weight: 600; overflow-wrap: anywhere; }
input { width: 100%; margin-top: .25rem; padding: .5rem; font: inherit;
    color: FieldText; background: Field; border: 1px solid GrayText; border-radius: .25rem; }
input[readonly] { background: Canvas; color: CanvasText; border-style: dashed; }
fieldset { margin: 1rem 0; padding: 0 1rem .5rem; min-width: 0;
    border: 1px solid GrayText; border-radius: .25rem; }
legend { padding: 0 .25rem; font-weight: 600; }
fieldset ul { list-style: none; margin: 0; padding: 0; }
fieldset li { display: grid; grid-template-columns: auto 1fr; column-gap: .75rem;
    align-items: start; padding: .75rem 0; }
fieldset li + li { border-top: 1px solid GrayText; }
fieldset label { margin: 0; }
input[type=checkbox] { width: 1.5rem; height: 1.5rem; margin: 0; padding: 0; }
.about { margin: .25rem 0 0; font-size: .9375rem; }
fieldset .about { grid-column: 2; }
.done ul { list-style: none; margin: 0; padding: 0; }
.done { margin: 1rem 0; padding: .75rem 1rem; border: 2px solid #2e7d32; border-radius: .25rem; }
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
